"""Enlarging the artist's document: one step of undo, and the program goes on meanwhile."""

from krita import Document

from scumble.geometry import Box
from scumble.host.contract import Delivery, HostError, Steps, Target
from scumble.host.krita.aside import aside
from scumble.words import tr

# For the artist's own layers: sharp enough, and no halos.
FILTER = "Bicubic"


def enlarged(target: Target, delivery: Delivery) -> "tuple[int, int]":
    """Width and height of the canvas when it is as large as the results."""
    size = delivery.refined.header
    if target.box == target.canvas and target.selected is None and (delivery.x, delivery.y) == (0, 0):
        return size.width, size.height
    return max(1, round(target.canvas.width * delivery.scale)), max(1, round(target.canvas.height * delivery.scale))


def corner(target: Target, delivery: Delivery) -> "tuple[int, int]":
    """Where the results lie on the canvas once it has its last size."""
    box: Box = target.box
    return round(box.x * delivery.scale) + delivery.x, round(box.y * delivery.scale) + delivery.y


def scale(document: Document, width: int, height: int) -> "Steps[None]":
    """Scale all of the document: its layers, masks and selection. Raises HostError when Krita didn't."""
    if (document.width(), document.height()) == (width, height):
        return
    resolution = round(document.resolution())
    yield from aside(lambda: document.scaleImage(width, height, resolution, resolution, FILTER))
    if document.width() > 0 and (document.width(), document.height()) != (width, height):
        raise HostError(
            tr("Krita could not scale the document to {width} × {height} pixels: free some memory and retry.").format(
                width=width, height=height
            )
        )
