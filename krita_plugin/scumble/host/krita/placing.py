"""Placing results in documents.

Theory of operation: layers are made and filled outside of the document's tree, which takes most of the time and changes
nothing. What then changes the document (scaling it, adding the layers) waits in a thread of its own (aside.py), and is
never left half done: dropped in the middle of it, these steps go on by a timer of their own.
"""

import time
from dataclasses import dataclass
from functools import partial

from krita import Document, Krita, Node

from scumble.host.contract import Delivery, HostError, Placed, Steps, Target
from scumble.host.krita.aside import LOOK_SECONDS, aside, see_through, unbroken, until_idle
from scumble.host.krita.colour import WIRE, Space, space_of
from scumble.host.krita.document import Documents, is_open
from scumble.host.krita.layers import find, id_of
from scumble.host.krita.masks import Loan, Masks, compose
from scumble.host.krita.notes import PlacedNote, remember_placed
from scumble.host.krita.placing_layers import Layers, Wish, make_layers
from scumble.host.krita.profiles import Profiles
from scumble.host.krita.scaling import corner, enlarged, scale
from scumble.words import tr

# Krita makes a new layer the active one a little after it was added.
ACTIVATION_SECONDS = 1.0
RESOLUTION = 300.0
DEPTHS = {wire: depth for depth, wire in WIRE.items()}


@dataclass(frozen=True)
class Site:
    """Where layers are added: into `parent`, above `above` (None: above all)."""

    parent: Node
    above: "Node | None"
    said: str = ""


class Placing:
    """Puts results where the artist wants them, or into a document of their own where that isn't possible any more."""

    def __init__(self, documents: Documents, profiles: Profiles, masks: Masks) -> None:
        self._documents, self._profiles, self._masks = documents, profiles, masks

    def place(self, target: Target, delivery: Delivery) -> "Steps[Placed]":
        """As Host.place."""
        try:
            return (yield from self._place(target, delivery))
        except HostError:
            raise
        except Exception as error:
            raise HostError(
                tr(
                    "Krita could not place the result ({error}): save your work, and fetch it again from the history."
                ).format(error=error)
            ) from error

    def _place(self, target: Target, delivery: Delivery) -> "Steps[Placed]":
        result = Space("RGBA", DEPTHS[delivery.refined.header.depth], self._profiles.name_of(delivery.profile))
        while (document := self._fitting(target, delivery)) is not None:
            placed = yield from self._into(document, target, delivery, result)
            if placed is not None:
                return placed
        return (yield from self._new(target, delivery, result, self._why_new(target, delivery)))

    def _fitting(self, target: Target, delivery: Delivery) -> "Document | None":
        """The artist's document, while the results belong into it."""
        document = None if delivery.placement.destination == "new" else self._documents.by_target(target)
        if document is None or (document.width(), document.height()) != (target.canvas.width, target.canvas.height):
            return None
        return document

    def _why_new(self, target: Target, delivery: Delivery) -> str:
        if delivery.placement.destination == "new":
            return ""
        if self._documents.by_target(target) is None:
            return tr("The document was closed meanwhile, so the result is in a new one.")
        return tr("The document has another size now, so the result is in a new one.")

    def _into(self, document: Document, target: Target, delivery: Delivery, result: Space) -> "Steps[Placed | None]":
        """Place into the artist's document; None when it changed meanwhile."""
        yield from until_idle(document)
        if self._fitting(target, delivery) is None:
            return None
        placement, own = delivery.placement, space_of(document)
        grows = placement.destination == "enlarge" and enlarged(target, delivery) != (
            document.width(),
            document.height(),
        )
        wish = Wish(
            *(corner(target, delivery) if placement.destination == "enlarge" else _corner_of_box(target, delivery)),
            own=own,
            result=result,
            masked=placement.mask and target.selected is not None,
            # Scaling is one step of undo, two loose layers would be two more.
            through=not placement.group and placement.keep_upscaled and grows,
        )

        def fits() -> bool:
            return self._fitting(target, delivery) == document and space_of(document) == own

        loan = self._masks.borrow()
        try:
            layers = yield from make_layers(document, delivery, wish, loan, fits)
            yield from until_idle(document)
        except BaseException:
            _give_back(loan)
            raise
        if layers is None or not fits():
            _give_back(loan)
            return None
        return (yield from unbroken(self._commit(document, target, delivery, layers, loan), see_through))

    def _commit(
        self, document: Document, target: Target, delivery: Delivery, layers: Layers, loan: "Loan | None"
    ) -> "Steps[Placed | None]":
        """All that changes the artist's document."""
        active = _id_of_active(document)
        document.setBatchmode(True)
        try:
            if delivery.placement.destination == "enlarge":
                yield from scale(document, *enlarged(target, delivery))
            if not is_open(document):
                return None
            site = _site(document, target)
            yield from _add(document, site, layers)
        finally:
            document.setBatchmode(False)
            _give_back(loan)
        if not is_open(document):
            return None
        yield from _activate(document, active, layers)
        through = layers.group is not None and not delivery.placement.group
        said = [layers.said, site.said, _through() if through else "", _beneath(target, layers)]
        return self._remember(document, delivery, layers, " ".join(part for part in said if part))

    def _new(self, target: Target, delivery: Delivery, result: Space, said: str) -> "Steps[Placed]":
        """A document of its own, in the colours of the old one, shown when it is whole."""
        old = self._documents.by_target(target)
        size, own = delivery.refined.header, result if old is None else space_of(old)
        resolution = RESOLUTION if old is None else float(old.resolution())
        document = Krita.instance().createDocument(
            size.width, size.height, delivery.title, own.model, own.depth, own.profile, resolution
        )
        if document is None:
            raise HostError(
                tr("Krita could not create a document of {width} × {height} pixels: close others and retry.").format(
                    width=size.width, height=size.height
                )
            )
        try:
            yield
            masked = delivery.placement.mask and target.selected is not None
            wish = Wish(0, 0, space_of(document), result, masked, through=False)
            loan = self._masks.borrow() if masked else None
            try:
                layers = yield from make_layers(document, delivery, wish, loan, lambda: is_open(document))
            finally:
                _give_back(loan)
            root = document.rootNode()
            if layers is None or root is None:
                raise HostError(tr("The new document was closed before the result was in it: place it again."))
            # Takes the blank layer out, and makes no step of undo.
            root.setChildNodes(list(layers.tops))
            yield from aside(document.refreshProjection)
        except BaseException:
            document.setModified(False)
            document.close()
            raise
        window = Krita.instance().activeWindow()
        if window is not None:
            window.addView(document)
        document.setModified(True)
        return self._remember(document, delivery, layers, " ".join(part for part in (said, layers.said) if part))

    def _remember(self, document: Document, delivery: Delivery, layers: Layers, said: str) -> Placed:
        group, upscaled = ("" if node is None else id_of(node) for node in (layers.group, layers.upscaled))
        refined = id_of(layers.refined)
        remember_placed(document, PlacedNote(group, upscaled, refined, delivery.note))
        return Placed(self._documents.key(document), group, upscaled, refined, said)


def _corner_of_box(target: Target, delivery: Delivery) -> "tuple[int, int]":
    return target.box.x + delivery.x, target.box.y + delivery.y


def _through() -> str:
    return tr("Both layers lie in a group that lets them through, so that two steps of undo take all away.")


def _beneath(target: Target, layers: Layers) -> str:
    """Where the result is transparent, what it was made of shows through, and makes soft edges denser."""
    if layers.opaque or target.selected is not None:
        return ""
    return tr("The result is transparent in places: hide the layers beneath it to see it alone.")


def _site(document: Document, target: Target) -> Site:
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


def _add(document: Document, site: Site, layers: Layers) -> "Steps[None]":
    """Add what was made, and have it composed.

    What got its children or its mask outside of the tree is composed without them as it is added: so it is hidden then.
    """
    above, last = site.above, layers.tops[-1]
    known = layers.group is None and not layers.refined.childNodes()
    last.setVisible(known)
    for node in layers.tops:
        if not (yield from aside(partial(site.parent.addChildNode, node, above))):
            raise HostError(tr("Krita could not add the layers: place the result again."))
        above = node
    if known or not is_open(document):
        return
    last.setVisible(True)
    if layers.handle is not None:
        compose(layers.handle)
        yield from until_idle(document)
    else:
        yield from aside(document.refreshProjection)


def _give_back(loan: "Loan | None") -> None:
    if loan is not None:
        loan.close()


def _id_of_active(document: Document) -> str:
    node = document.activeNode()
    return "" if node is None else id_of(node)


def _activate(document: Document, active: str, layers: Layers) -> "Steps[None]":
    """Make the layer active again that was it before; unless the artist took another one meanwhile."""
    ours = {id_of(node) for node in (*layers.tops, layers.refined)}
    until = time.monotonic() + ACTIVATION_SECONDS
    while active and is_open(document) and time.monotonic() < until:
        if _id_of_active(document) in ours:
            node = find(document, active)
            if node is not None:
                document.setActiveNode(node)
            return
        time.sleep(LOOK_SECONDS)
        yield
