"""The host that is Krita, put together. Everything here is called in the GUI thread."""

from collections.abc import Callable

from krita import Krita

from scumble.host.contract import Delivery, LayerChoice, Offer, Placed, Snapshot, Steps, Target, Wanted
from scumble.host.krita import layers, notes, snapshot, sources, thumbnail
from scumble.host.krita.before_after import BeforeAfter
from scumble.host.krita.document import Documents
from scumble.host.krita.masks import Masks
from scumble.host.krita.placing import Placing
from scumble.host.krita.profiles import Profiles
from scumble.qt import QtGui

SETTINGS_GROUP = "scumble"


class KritaHost:
    """See contract.Host. `cursor`: the last place of the pointer over the canvas, which the overlay knows."""

    def __init__(self, cursor: "Callable[[], tuple[int, int] | None]") -> None:
        self._cursor = cursor
        self._documents = Documents()
        self._profiles = Profiles()
        masks = self._masks = Masks()
        self._placing = Placing(self._documents, self._profiles, masks)
        self._before_after = BeforeAfter(self._documents, masks)

    def prepare(self) -> None:
        """Have ready what takes Krita a third of a second: better now than when the first result is placed."""
        self._masks.prepare()

    def unavailable(self, wanted: Wanted) -> str:
        return sources.unavailable(self._documents, wanted)

    def offer(self, wanted: Wanted) -> Offer:
        return sources.offer(self._documents, wanted)

    def layers(self) -> "tuple[LayerChoice, ...]":
        document = self._documents.active()
        return () if document is None else layers.choices(document)

    def thumbnail(self, wanted: Wanted, side: int) -> "Steps[QtGui.QImage]":
        return snapshot.guarded(thumbnail.thumbnail(self._documents, wanted, side))

    def take(self, wanted: Wanted) -> "Steps[Snapshot]":
        return snapshot.guarded(snapshot.take(self._documents, self._profiles, wanted))

    def cursor(self) -> "tuple[int, int] | None":
        return self._cursor()

    def place(self, target: Target, delivery: Delivery) -> "Steps[Placed]":
        return self._placing.place(target, delivery)

    def show_before(self, placed: Placed, before: bool) -> bool:
        return self._before_after.show_before(placed, before)

    def active_document(self) -> str:
        document = self._documents.active()
        return "" if document is None else self._documents.key(document)

    def load(self, name: str) -> str:
        return Krita.instance().readSetting(SETTINGS_GROUP, name, "")

    def save(self, name: str, text: str) -> None:
        Krita.instance().writeSetting(SETTINGS_GROUP, name, text)

    def load_note(self, document: str, name: str) -> bytes:
        found = self._documents.by_key(document)
        return b"" if found is None else notes.load_note(found, name)

    def save_note(self, document: str, name: str, data: bytes) -> None:
        found = self._documents.by_key(document)
        if found is not None:
            notes.save_note(found, name, data)
