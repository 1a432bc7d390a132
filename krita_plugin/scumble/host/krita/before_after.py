"""The refined layer hidden and shown again, without a step of undo."""

from krita import Document, Node

from scumble.host.contract import Placed
from scumble.host.krita.active import active_id, keep_active
from scumble.host.krita.aside import see_through
from scumble.host.krita.document import Documents
from scumble.host.krita.layers import find, id_of
from scumble.host.krita.masks import Masks, compose


class BeforeAfter:
    """Toggles the refined layers of results that were placed."""

    def __init__(self, documents: Documents, masks: Masks) -> None:
        self._documents, self._masks = documents, masks

    def show_before(self, placed: Placed, before: bool) -> bool:
        """As Host.show_before. Krita composes the layer's place anew as it does when its eye is clicked."""
        document = self._documents.by_key(placed.document)
        node = None if document is None else find(document, placed.refined)
        if document is None or node is None:
            return False
        if node.visible() == before:
            node.setVisible(not before)
            self._compose(document, node)
        return True

    def _compose(self, document: Document, node: Node) -> None:
        children = node.childNodes()
        loan = self._masks.borrow() if len(children) < 2 else None
        if loan is None:  # an artist's own masks stay untouched
            document.refreshProjection()
            return
        active = active_id(document)
        try:
            key = loan.mask("…")
            # Krita makes the key the active node, and what is beside or around it when it is taken out.
            ours = frozenset(id_of(each) for each in (key, node, node.parentNode(), *children) if each is not None)
            node.setChildNodes([*children, key])
            handle = key.parentNode()
            key.remove()
            if handle is not None:
                compose(handle)
        finally:
            loan.close()
        see_through(keep_active(document, active, ours - {active}))
