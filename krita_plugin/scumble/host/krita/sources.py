"""What the artist wants to send, found in the document, or one sentence that says why it can't be sent."""

from dataclasses import dataclass

from krita import Document, Node

from scumble.geometry import Box, with_context
from scumble.host.contract import HostError, Offer, Target, Wanted
from scumble.host.krita.colour import Space, carrier, space_of
from scumble.host.krita.document import Documents, file_of, is_open
from scumble.host.krita.guides import Guiding, guiding
from scumble.host.krita.layers import (
    SENDABLE,
    canvas_of,
    find,
    id_of,
    is_empty,
    is_shown,
    left_out,
    shows_something,
    walk,
)
from scumble.words import tr


@dataclass(frozen=True)
class Chosen:
    """A source in an open document. `node`: the layer to send, None for what the canvas shows; `left_out`: the ids of
    layers that show and aren't sent, Scumble's own and guides; `space`: of the pixels as they are."""

    document: Document
    node: "Node | None"
    left_out: "tuple[str, ...]"
    space: Space
    target: Target
    guiding: Guiding

    @property
    def native_bytes(self) -> int:
        return self.target.box.width * self.target.box.height * self.space.pixel_bytes


def unavailable(documents: Documents, wanted: Wanted) -> str:
    """As in the contract."""
    try:
        choose(documents, wanted)
    except HostError as error:
        return str(error)
    return ""


def offer(documents: Documents, wanted: Wanted) -> Offer:
    """As in the contract."""
    chosen = choose(documents, wanted)
    kind = chosen.space.title
    root = chosen.document.rootNode()
    if root is not None and any(node.animated() for node in walk(root)):
        kind = tr("{kind}, frame {number}").format(kind=kind, number=chosen.document.currentTime())
    return Offer(chosen.target, kind, carrier(chosen.space).wire_depth)


def choose(documents: Documents, wanted: Wanted, document: "Document | None" = None) -> Chosen:
    """The source in that document, else in the active one. Raises HostError."""
    document = documents.active() if document is None else document
    if document is None:
        raise HostError(tr("Open or create a document first."))
    if not is_open(document):
        raise HostError(tr("The document was closed before it was read: open it again."))
    canvas = canvas_of(document)
    node = _layer(document, wanted, canvas) if wanted.source == "layer" else None
    if node is None and not shows_something(document):
        raise HostError(tr("Nothing is to be seen in this document: show a layer, or paint one first."))
    selected = _selected(document, canvas) if wanted.source == "selection" else None
    target = Target(
        document=documents.key(document),
        file=file_of(document),
        canvas=canvas,
        box=canvas if selected is None else with_context(selected, canvas),
        selected=selected,
        layer="" if node is None else id_of(node),
    )
    thing = document if node is None else node
    without = left_out(document, wanted.guides.left_out, node)
    return Chosen(document, node, without, space_of(thing), target, guiding(document, wanted.guides))


def _selected(document: Document, canvas: Box) -> Box:
    selection = document.selection()
    if selection is None or selection.width() <= 0 or selection.height() <= 0:
        raise HostError(tr("Select a part of the picture first, or choose Canvas."))
    bounds = Box(selection.x(), selection.y(), selection.width(), selection.height()).intersect(canvas)
    if bounds.is_empty:
        raise HostError(tr("The selection lies outside of the canvas: select a part of the picture."))
    return bounds


def _layer(document: Document, wanted: Wanted, canvas: Box) -> Node:
    node = find(document, wanted.layer) if wanted.layer else _active(document)
    if node is None and wanted.layer:
        raise HostError(tr("The chosen layer is gone: choose another."))
    if node is None:
        raise HostError(tr("Choose a layer first."))
    why = _why_not(node, canvas)
    if why:
        raise HostError(why.format(name=node.name()))
    return node


def _active(document: Document) -> "Node | None":
    """The active layer; while the artist edits a mask, the layer that it belongs to."""
    node: Node | None = document.activeNode()
    while node is not None and node.type().endswith("mask"):
        node = node.parentNode()
    return node


def _why_not(node: Node, canvas: Box) -> str:
    kind = node.type()
    if kind.endswith("mask"):
        return tr("“{name}” is a mask: choose its layer.")
    if kind not in SENDABLE:
        return tr("“{name}” has no picture of its own: choose Canvas to send what it does to the layers below.")
    if not is_shown(node):
        return tr("“{name}” is hidden: show it, or choose another layer.")
    if is_empty(node, canvas):
        return tr("“{name}” has nothing on the canvas: paint on it first, or choose another layer.")
    if kind == "grouplayer" and getattr(node, "passThroughMode", bool)():
        return tr(
            "“{name}” passes its layers through and has no picture of its own: turn Pass Through off, or choose Canvas."
        )
    return ""
