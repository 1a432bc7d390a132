"""What the artist looks at now: libkis tells of few changes, so the panel looks again from time to time."""

from dataclasses import dataclass

from scumble.guard import guarded, surprise
from scumble.host.contract import Host, HostError, LayerChoice, Offer, Wanted
from scumble.qt import QtCore, QtGui
from scumble.runs.steps import Drive
from scumble.words import tr


@dataclass(frozen=True)
class Seen:
    """`document`: the host's key, "" for none; `reason`: why nothing can be sent; `offer`: what would be sent."""

    document: str = ""
    reason: str = ""
    offer: "Offer | None" = None
    layers: "tuple[LayerChoice, ...]" = ()


class Watcher(QtCore.QObject):
    """Call `look` as often as you like: `changed` comes only when something did."""

    changed = QtCore.pyqtSignal(object)  # Seen
    pictured = QtCore.pyqtSignal(object)  # QImage | None: what would be sent

    def __init__(self, host: Host, side: int, parent: "QtCore.QObject | None" = None) -> None:
        """`side`: of the small picture."""
        super().__init__(parent)
        self.seen = Seen()
        self._host = host
        self._side = side
        self._wanted = Wanted()
        self._picturing: Drive[QtGui.QImage] | None = None

    @guarded
    def look(self, wanted: Wanted) -> None:
        """For this source."""
        other, self._wanted = wanted != self._wanted, wanted
        seen = self._look(wanted)
        other = other or seen.offer != self.seen.offer
        if seen != self.seen:
            self.seen = seen
            self.changed.emit(seen)
        # Whoever heard of it may have looked again meanwhile, and seen to the picture.
        if other and wanted == self._wanted:
            self.picture()

    @guarded
    def picture(self) -> None:
        """Make the small picture anew: what was painted since is no change that anybody tells of."""
        if self._picturing is not None:
            self._picturing.close()
            self._picturing = None
        if self.seen.offer is None:
            self.pictured.emit(None)
            return
        try:
            steps = self._host.thumbnail(self._wanted, self._side)
        except HostError:
            self.pictured.emit(None)
            return
        self._picturing = Drive(steps, self.pictured.emit, self._not_pictured)

    def close(self) -> None:
        """Krita ends."""
        if self._picturing is not None:
            self._picturing.close()
            self._picturing = None

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self.seen = Seen(reason=sentence)
        self.changed.emit(self.seen)

    def _not_pictured(self, _sentence: str) -> None:
        self.pictured.emit(None)

    def _look(self, wanted: Wanted) -> Seen:
        document = self._host.active_document()
        if not document:
            return Seen(reason=tr("Open or create a document first."))
        try:
            return Seen(document, "", self._host.offer(wanted), self._host.layers())
        except HostError as error:
            return Seen(document, str(error), None, self._host.layers())
        except Exception as error:  # a document that closes in this very moment
            return Seen(reason=surprise(error))
