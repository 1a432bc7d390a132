"""The layers of a result, made outside of the document's tree: whatever fails, the document is as it was."""

from collections.abc import Callable
from dataclasses import dataclass

from krita import Document, Node

from scumble.geometry import Box
from scumble.host.contract import Delivery, HostError, Result, Steps
from scumble.host.krita.aside import aside
from scumble.host.krita.colour import SRGB_NAMES, Space
from scumble.host.krita.masks import Loan
from scumble.host.krita.placing_pixels import BAND_BYTES, fill, fill_grey
from scumble.host.krita.profiles import SRGB_GREYS
from scumble.words import tr


@dataclass(frozen=True)
class Layers:
    """`loose`: upscaled and refined layer, as far as they are there, the lowest first; `group`: the group for them,
    still empty; `handle`: the refined layer, for `compose`, when it has a mask; `box`: where they lie; `opaque`: all of
    the result is.
    """

    loose: "tuple[Node, ...]"
    group: "Node | None"
    upscaled: "Node | None"
    refined: Node
    handle: "Node | None"
    box: Box
    opaque: bool
    said: str


@dataclass(frozen=True)
class Wish:
    """How the layers are to be: where their left upper corner lies, in which space, and with a mask or without."""

    x: int
    y: int
    own: Space
    result: Space
    masked: bool
    # Loose layers in one step of undo: a group that lets its layers through as if it weren't there.
    through: bool


def make_layers(
    document: Document, delivery: Delivery, wish: Wish, loan: "Loan | None", fits: "Callable[[], bool]"
) -> "Steps[Layers | None]":
    """Both layers, filled; None as soon as the document doesn't fit any more. Raises HostError."""
    placement, title = delivery.placement, delivery.title
    said = ""
    upscaled: Node | None = None
    group: Node | None = None
    refined = new_layer(document, tr("Refined {title}").format(title=title))
    mask = loan.mask(tr("Selection")) if wish.masked and loan is not None else None
    if wish.masked and mask is None:
        said = tr("This Krita gives no masks to plugins, so the refined layer is cut by the selection.")
    yield
    opaque = yield from _filled(document, refined, mask, delivery.refined, wish)
    if not fits():
        return None
    if placement.keep_upscaled:
        upscaled = new_layer(document, tr("Upscaled {title}").format(title=title))
        solid = yield from _filled(document, upscaled, None, delivery.upscaled, wish)
        if not fits():
            return None
        # Two half-transparent layers over each other would make soft edges hard: then the refined one shows alone.
        upscaled.setVisible(solid)
    handle = loan.handle(refined, mask) if loan is not None and mask is not None else None
    refined.setOpacity(round(255 * min(100, max(0, placement.opacity)) / 100))
    if placement.group or wish.through:
        group = document.createGroupLayer(tr("Scumble {title}").format(title=title))
        if not placement.group:
            group.setPassThroughMode(True)
    box = Box(wish.x, wish.y, delivery.refined.header.width, delivery.refined.header.height)
    loose = tuple(node for node in (upscaled, refined) if node is not None)
    return Layers(loose, group, upscaled, refined, handle, box, opaque, said)


def new_layer(document: Document, name: str) -> Node:
    """An empty paint layer in the document's space. Raises HostError."""
    layer = document.createNode(name, "paintlayer")
    if layer is None:
        raise HostError(tr("Krita could not create a layer: is the document still open?"))
    return layer


def same(one: Space, other: Space) -> bool:
    """Whether pixels mean the same in both."""
    profiles = one.profile == other.profile or {one.profile, other.profile} <= SRGB_NAMES
    return profiles and (one.model, one.depth) == (other.model, other.depth)


def _filled(document: Document, layer: Node, mask: "Node | None", result: Result, wish: Wish) -> "Steps[bool]":
    if same(wish.own, wish.result):
        return (yield from fill(layer, result, wish.x, wish.y, mask))
    if _carries_grey(wish.own, wish.result):
        opaque = yield from fill_grey(layer, result, wish.x, wish.y, mask)
        if opaque is not None:
            return opaque
    return (yield from _converted(document, layer, mask, result, wish))


def _carries_grey(own: Space, result: Space) -> bool:
    """Whether equal red, green and blue of the result are the document's own grey, as profiles.py has it sent."""
    if own.model != "GRAYA" or own.depth != result.depth:
        return False
    if own.profile in SRGB_GREYS:
        return result.profile in SRGB_NAMES
    return result.profile == f"Scumble: {own.profile} as RGB"


def _converted(document: Document, layer: Node, mask: "Node | None", result: Result, wish: Wish) -> "Steps[bool]":
    """Fill it with pixels that Krita converts to the document's space, so that merging down changes nothing.

    Converting makes a step of undo, even outside of the tree: so it goes on in a clone.
    """
    header = result.header
    scratch = document.clone()
    try:
        scratch.setBatchmode(True)
        between = new_layer(scratch, "Scumble")
        yield
        yield from _convert(between, wish.result)
        opaque = yield from fill(between, result, wish.x, wish.y, mask)
        yield from _convert(between, wish.own)
        pixel_bytes = max(1, len(between.pixelData(0, 0, 1, 1)))
        rows = max(1, BAND_BYTES // (pixel_bytes * header.width))
        for top in range(0, header.height, rows):
            count = min(rows, header.height - top)
            pixels = between.pixelData(wish.x, wish.y + top, header.width, count)
            layer.setPixelData(pixels, wish.x, wish.y + top, header.width, count)
            yield
        return opaque
    finally:
        scratch.setModified(False)
        scratch.close()


def _convert(layer: Node, space: Space) -> "Steps[None]":
    yield from aside(lambda: layer.setColorSpace(space.model, space.depth, space.profile))
    if (layer.colorModel(), layer.colorDepth()) != (space.model, space.depth):
        raise HostError(tr("Krita could not convert the result to {kind}.").format(kind=space.title))
