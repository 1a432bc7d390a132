"""Placing results in documents.

Theory of operation: layers are made and filled outside of the document's tree, which takes most of the time and changes
nothing. What then changes the document (scaling it, adding the layers) waits in a thread of its own (aside.py), and is
never left half done: dropped in the middle of it, these steps go on by a timer of their own.
"""

from krita import Document, Krita

from scumble.host.contract import Delivery, HostError, Placed, Steps, Target
from scumble.host.krita.active import active_id, keep_active
from scumble.host.krita.aside import aside, see_through, unbroken, until_idle
from scumble.host.krita.colour import WIRE, Space, space_of
from scumble.host.krita.document import Documents, is_open
from scumble.host.krita.layers import id_of
from scumble.host.krita.masks import Loan, Masks
from scumble.host.krita.notes import PlacedNote, remember_placed
from scumble.host.krita.placing_adding import add, give_back, site_of
from scumble.host.krita.placing_layers import Layers, Wish, make_layers
from scumble.host.krita.profiles import Profiles
from scumble.host.krita.scaling import corner, enlarged, scale
from scumble.words import tr

RESOLUTION = 300.0
DEPTHS = {wire: depth for depth, wire in WIRE.items()}


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
            give_back(loan)
            raise
        if layers is None or not fits():
            give_back(loan)
            return None
        return (yield from unbroken(self._commit(document, target, delivery, layers, loan), see_through))

    def _commit(
        self, document: Document, target: Target, delivery: Delivery, layers: Layers, loan: "Loan | None"
    ) -> "Steps[Placed | None]":
        """All that changes the artist's document."""
        active = active_id(document)
        document.setBatchmode(True)
        try:
            if delivery.placement.destination == "enlarge":
                yield from scale(document, *enlarged(target, delivery))
            if not is_open(document):
                return None
            site = site_of(document, target)
            yield from add(document, site, layers, loan)
        finally:
            document.setBatchmode(False)
            give_back(loan)
        if not is_open(document):
            return None
        ours = frozenset(id_of(node) for node in (*layers.loose, layers.group) if node is not None)
        yield from keep_active(document, active, ours)
        if not is_open(document):
            return None
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
                give_back(loan)
            root = document.rootNode()
            if layers is None or root is None:
                raise HostError(tr("The new document was closed before the result was in it: place it again."))
            # Takes the blank layer out, and makes no step of undo.
            if layers.group is None:
                root.setChildNodes(list(layers.loose))
            else:
                layers.group.setChildNodes(list(layers.loose))
                root.setChildNodes([layers.group])
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
