"""Adding finished layers to the artist's document: one step of undo for a group, and composed piece by piece.

Theory of operation: a group is added while it is empty, which costs nothing, and gets its layers then; undo and redo
take them away and bring them back with it. Nothing of that has Krita compose anything. A small transparent layer is
then moved over the group's picture (see masks.py), so that Krita composes, and shows on the canvas, a piece at a time:
all at once would stop the program for as long as its canvas takes for 8192 x 8192 pixels.
"""

import time
from dataclasses import dataclass
from functools import partial

from krita import Document, Node

from scumble.geometry import Box
from scumble.host.contract import HostError, Steps, Target
from scumble.host.krita.aside import LOOK_SECONDS, aside, until_idle
from scumble.host.krita.document import is_open
from scumble.host.krita.layers import find
from scumble.host.krita.masks import Loan, compose
from scumble.host.krita.placing_layers import Layers
from scumble.words import tr

# Pixels of a piece, each way.
PIECE = 512


@dataclass(frozen=True)
class Site:
    """Where layers are added: into `parent`, above `above` (None: above all)."""

    parent: Node
    above: "Node | None"
    said: str = ""


def site_of(document: Document, target: Target) -> Site:
    """Above the layer that was sent; above all when the canvas was, or when the layer is gone."""
    root = document.rootNode()
    if root is None:
        raise HostError(tr("The document was closed: open it again."))
    above = find(document, target.layer) if target.layer else None
    parent = None if above is None else above.parentNode()
    if above is None or parent is None:
        return Site(root, None, tr("The layer is gone, so the result lies above all others.") if target.layer else "")
    said, around = "", parent
    while (outer := around.parentNode()) is not None:
        if around.locked():  # libkis would add to it all the same
            above, parent = around, outer
            said = tr("The layer's group is locked, so the result lies above that group.")
        around = outer
    return Site(parent, above, said)


def add(document: Document, site: Site, layers: Layers, loan: "Loan | None") -> "Steps[None]":
    """Add what was made, and have it composed. Raises HostError."""
    if layers.group is None:
        yield from _add_loose(document, site, layers)
        return
    yield from _add_child(site, layers.group, site.above)
    if not is_open(document):
        return
    if loan is not None and layers.handle is None:
        yield from _in_pieces(document, layers.group, layers, loan)
        return
    layers.group.setChildNodes(list(layers.loose))
    yield from _compose_all(document, layers)


def give_back(loan: "Loan | None") -> None:
    if loan is not None:
        loan.close()


def _add_loose(document: Document, site: Site, layers: Layers) -> "Steps[None]":
    above, masked = site.above, bool(layers.refined.childNodes())
    # With a mask it is first composed without it.
    layers.refined.setVisible(not masked)
    for node in layers.loose:
        yield from _add_child(site, node, above)
        above = node
    if masked and is_open(document):
        layers.refined.setVisible(True)
        yield from _compose_all(document, layers)


def _add_child(site: Site, node: Node, above: "Node | None") -> "Steps[None]":
    if not (yield from aside(partial(site.parent.addChildNode, node, above))):
        raise HostError(tr("Krita could not add the layers: place the result again."))


def _compose_all(document: Document, layers: Layers) -> "Steps[None]":
    if layers.handle is not None:
        compose(layers.handle)
        yield from until_idle(document)
    else:
        yield from aside(document.refreshProjection)


def _in_pieces(document: Document, group: Node, layers: Layers, loan: Loan) -> "Steps[None]":
    box = layers.box.intersect(Box(0, 0, document.width(), document.height()))
    stamp = loan.stamp(PIECE)
    group.setChildNodes([*layers.loose, stamp])
    try:
        for y in range(box.y, box.bottom, PIECE):
            for x in range(box.x, box.right, PIECE):
                if not is_open(document):
                    return
                stamp.move(x, y)
                compose(stamp)
                # At once, Krita would wait for the piece when asked whether it is idle.
                time.sleep(LOOK_SECONDS)
                yield
                yield from until_idle(document)
    finally:
        stamp.remove()
