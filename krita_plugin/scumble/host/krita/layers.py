"""The layers of a document: which have a picture of their own, which are seen, and which are Scumble's results."""

import json
import sys
from collections.abc import Iterator

from krita import Document, Node

from scumble.geometry import Box
from scumble.host.contract import LayerChoice
from scumble.host.krita.colour import SAMPLE_BYTES
from scumble.host.krita.notes import LAYERS, load_note

# For groups that no note in the document knows, as after copying them from another one: how Scumble names its own.
PLACED_PREFIX = "Scumble "
WITH_PIXELS = frozenset({"paintlayer", "filelayer", "filllayer", "clonelayer", "vectorlayer"})
SENDABLE = WITH_PIXELS | {"grouplayer"}
# What may say where something holds: it has pixels of its own that Scumble can read by themselves.
GUIDES = frozenset({"paintlayer", "transparencymask", "selectionmask", "filtermask"})
# Rows of a layer that are looked at to find something painted.
PROBES = 32


def canvas_of(document: Document) -> Box:
    """The whole canvas."""
    return Box(0, 0, document.width(), document.height())


def id_of(node: Node) -> str:
    """Stays the same in a clone of the document and in its .kra file."""
    return node.uniqueId().toString()


def children(parent: Node) -> "list[Node]":
    """The nodes in it, the lowest first.

    In libkis 5.1 nobody owns the nodes of such a list: they, their layers and their pixels would stay in memory to the
    end of the program, whatever becomes of the document. Here Python is made their owner.
    """
    nodes = parent.childNodes()
    sip = sys.modules.get("PyQt5.sip") or sys.modules.get("PyQt6.sip")
    for node in nodes:
        if sip is not None and not sip.ispyowned(node):
            sip.transferback(node)
    return nodes


def walk(parent: Node) -> "Iterator[Node]":
    """All nodes below, masks too: a parent before its children, siblings from the lowest up."""
    for child in children(parent):
        yield child
        yield from walk(child)


def find(document: Document, node_id: str) -> "Node | None":
    """The node of that id."""
    root = document.rootNode()
    if root is None:
        return None
    return next((node for node in walk(root) if id_of(node) == node_id), None)


def is_shown(node: Node) -> bool:
    """Whether neither it nor a group around it is hidden."""
    above: Node | None = node
    while above is not None:
        if not above.visible():
            return False
        above = above.parentNode()
    return True


def is_empty(node: Node, canvas: Box) -> bool:
    """Whether nothing is painted on the canvas in it, or in any layer of the group that is shown.

    `bounds` is the last resort: for a layer of 8192 x 8192 with much that is transparent it takes Krita a second.
    """
    if node.type() == "grouplayer":
        shown = [child for child in children(node) if child.visible() and child.type() in SENDABLE]
        return all(is_empty(child, canvas) for child in shown)
    if node.type() == "vectorlayer":
        return not getattr(node, "shapes", lambda: True)()
    if node.type() != "paintlayer":
        return False
    if is_painted(node, canvas):
        return False
    bounds = node.bounds()
    return Box(bounds.x(), bounds.y(), bounds.width(), bounds.height()).intersect(canvas).is_empty


def is_painted(thing: "Document | Node", canvas: Box) -> bool:
    """Whether one of some rows has pixels; quick, but a No may be wrong."""
    step = max(1, canvas.height // PROBES)
    size = SAMPLE_BYTES.get(thing.colorDepth(), 1)
    for y in range(step // 2, canvas.height, step):
        row = thing.pixelData(0, y, canvas.width, 1).data()
        pixel = len(row) // canvas.width
        if any(any(row[pixel - byte :: pixel]) for byte in range(1, size + 1) if pixel >= size):  # alpha is the last
            return True
    return False


def choices(document: Document) -> "tuple[LayerChoice, ...]":
    """Layers, groups and masks as the artist sees them in the docker of layers: the uppermost first."""
    root = document.rootNode()
    return () if root is None else tuple(_choices(root, 0))


def _choices(parent: Node, level: int) -> "Iterator[LayerChoice]":
    for node in reversed(children(parent)):
        kind = node.type()
        if kind in SENDABLE or kind in GUIDES:
            yield LayerChoice(id_of(node), node.name(), level, kind in SENDABLE, kind in GUIDES)
        if not kind.endswith("mask"):
            yield from _choices(node, level + 1)


def placed_ids(document: Document) -> "frozenset[str]":
    """The ids that the document's note holds; none when there is no note, or one that can't be read."""
    try:
        ids = json.loads(load_note(document, LAYERS) or b"[]")
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(entry for entry in ids if isinstance(entry, str)) if isinstance(ids, list) else frozenset()


def left_out(document: Document, guides: "tuple[str, ...]" = (), node: "Node | None" = None) -> "tuple[str, ...]":
    """The ids of what is seen now and doesn't belong into the next run's input: Scumble's own layers and groups, and of
    the guides those that are layers. `node`: of this layer or group alone, in which only guides are left out.

    What an artist painted into one of Scumble's groups stays; and where nothing else is seen (a flattened picture, a
    document made of one result), these layers are the picture, and none is left out.
    """
    root = document.rootNode() if node is None else node
    if root is None:
        return ()
    shown = [id_of(each) for each in _shown(root) if each.type() in SENDABLE] if guides else []
    own = [] if node is not None else list(_own(root, placed_ids(document)))
    for without in (list(dict.fromkeys([*own, *(each for each in shown if each in guides)])), own):
        if without and _shows_others(root, frozenset(without), canvas_of(document)):
            return tuple(without)
    return ()


def _shown(parent: Node) -> "Iterator[Node]":
    """What isn't hidden below."""
    for child in children(parent):
        if child.visible():
            yield child
            yield from _shown(child)


def shows_something(document: Document) -> bool:
    """Whether any layer with a picture is seen."""
    root, canvas = document.rootNode(), canvas_of(document)
    return is_painted(document, canvas) or (root is not None and _shows_others(root, frozenset(), canvas))


def only_layer(document: Document, without: "tuple[str, ...]") -> "Node | None":
    """The one plain layer that is all that the canvas shows without those, pixel by pixel; None for anything else."""
    root = document.rootNode()
    if root is None or document.backgroundColor().alpha():
        return None
    shown = [
        node
        for node in children(root)
        if node.visible() and node.type() != "selectionmask" and id_of(node) not in without
    ]
    if len(shown) != 1 or not is_plain(shown[0]):
        return None
    node = shown[0]
    space = (document.colorModel(), document.colorDepth(), document.colorProfile())
    blended = node.opacity() < 255 or node.blendingMode() != "normal" or node.inheritAlpha() or node.layerStyleToAsl()
    return None if blended or space != (node.colorModel(), node.colorDepth(), node.colorProfile()) else node


def is_plain(node: Node) -> bool:
    """Whether its picture is just what was painted: no masks, no frames."""
    return node.type() == "paintlayer" and not children(node) and not node.animated()


def _own(parent: Node, placed: "frozenset[str]") -> "Iterator[str]":
    for node in children(parent):
        if not node.visible() or node.type() not in SENDABLE:
            continue
        is_group = node.type() == "grouplayer"
        if id_of(node) in placed:
            if is_group and not all(id_of(below) in placed for below in walk(node) if below.type() in SENDABLE):
                yield from _own(node, placed)
            else:
                yield id_of(node)
        elif is_group and node.name().startswith(PLACED_PREFIX):
            yield id_of(node)
        elif is_group:
            yield from _own(node, placed)


def _shows_others(root: Node, own: "frozenset[str]", canvas: Box) -> bool:
    others = list(_others(root, own))
    # Most often the quick look is enough, and the slow one never taken.
    return any(node.type() != "paintlayer" or is_painted(node, canvas) for node in others) or not all(
        is_empty(node, canvas) for node in others
    )


def _others(parent: Node, own: "frozenset[str]") -> "Iterator[Node]":
    """The layers with pixels that are shown, but for these."""
    for node in children(parent):
        if not node.visible() or id_of(node) in own:
            continue
        if node.type() == "grouplayer":
            yield from _others(node, own)
        elif node.type() in WITH_PIXELS:
            yield node
