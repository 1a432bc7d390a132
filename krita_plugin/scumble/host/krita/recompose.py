"""Layers left out of a clone, and what it then shows composed anew in small pieces.

Theory of operation: Krita composes in other threads, but every libkis call that asks for it waits for the end, and most
of them (adding or removing a node, `refreshProjection`) ask for the whole picture: half a second and more at 8192 x
8192. Two calls are different. `setChildNodes` adds a node without composing anything, and `setBlendingMode` composes
only where that node has pixels. So a small transparent layer, the stamp, is put beside what was hidden, moved from
place to place, and its blending mode is switched at each. Krita then composes there as after a stroke of the brush,
with all that lies above and around. The clone is thrown away afterwards, stamps and all.
"""

from krita import Document, Node

from scumble.geometry import Box
from scumble.host.contract import HostError, Steps
from scumble.host.krita.layers import children, find, id_of, walk
from scumble.qt import QtCore
from scumble.words import tr

# Pixels times layers that are composed at once: some milliseconds.
WORK = 1024 * 1024
WIDEST = 4096
# Krita keeps pixels in squares of this side.
TILE = 64
MODES = ("multiply", "normal")


def leave_out(clone: Document, ids: "tuple[str, ...]", box: Box) -> "Steps[None]":
    """Hide these nodes of the clone and compose `box` again without them. Raises HostError."""
    root = clone.rootNode()
    hidden = [node for node in (find(clone, node_id) for node_id in ids) if node is not None]
    if root is None or not hidden:
        return
    for node in hidden:
        node.setVisible(False)
    yield
    work = _cell(box, sum(1 for _node in walk(root)))
    stamps = []
    for node in _one_a_parent(hidden):
        stamp = _stamp(clone, work)
        if not (yield from _attach(stamp, node)):
            clone.refreshProjection()
            return
        stamps.append(stamp)
    for turn, place in enumerate(_cells(box, work)):
        for stamp in stamps:
            stamp.move(place.x, place.y)
            stamp.setBlendingMode(MODES[turn % 2])
            yield


def _cell(box: Box, layers: int) -> Box:
    width = min(box.width, WIDEST)
    rows = WORK // max(2, layers) // width // TILE * TILE
    return Box(0, 0, width, max(TILE, rows))


def _cells(box: Box, cell: Box) -> "list[Box]":
    """Places that cover the box; they may reach beyond it."""
    return [
        Box(x, y, cell.width, cell.height)
        for y in range(box.y, box.bottom, cell.height)
        for x in range(box.x, box.right, cell.width)
    ]


def _one_a_parent(nodes: "list[Node]") -> "list[Node]":
    """A group's picture is made of all its children at once: one stamp for each group is enough."""
    parents = {}
    for node in nodes:
        parent = node.parentNode()
        # A group takes a stamp without its neighbours being touched.
        if parent is not None and (id_of(parent) not in parents or node.type() == "grouplayer"):
            parents[id_of(parent)] = node
    return list(parents.values())


def _stamp(clone: Document, cell: Box) -> Node:
    stamp = clone.createNode("Scumble", "paintlayer")
    if stamp is None:
        raise HostError(tr("Krita could not read the picture: is the document still open?"))
    blank = bytes(cell.width * cell.height * len(stamp.pixelData(0, 0, 1, 1)))
    stamp.setPixelData(QtCore.QByteArray(blank), 0, 0, cell.width, cell.height)
    return stamp


def _attach(stamp: Node, hidden: Node) -> "Steps[bool]":
    """Put the stamp into the hidden group, or else beside the hidden layer; whether it is in the tree now."""
    if hidden.type() == "grouplayer":
        kept = children(hidden)  # freeing their pixels would take its time here
        hidden.setChildNodes([stamp])
        yield
        del kept
        return stamp.parentNode() is not None
    parent = hidden.parentNode()
    if parent is None:
        return False
    # Nothing is composed here: all children are taken out, and put back in the same order, the stamp above them.
    inside = children(parent)
    for _child in inside:
        if children(parent):
            parent.setChildNodes([])
        yield
    parent.setChildNodes([*inside, stamp])
    yield
    return len(children(parent)) == len(inside) + 1
