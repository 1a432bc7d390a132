"""A list of rows under a heading with a button that adds one: LoRAs, regions."""

from itertools import pairwise
from typing import Generic, TypeVar

from scumble.guard import guarded
from scumble.panel.look import in_a_row, tight
from scumble.panel.widgets import Part
from scumble.qt import QtCore, QtWidgets


class ItemRow(QtWidgets.QWidget):
    """One row. `away`: the button that removes it."""

    changed = QtCore.pyqtSignal()
    dropped = QtCore.pyqtSignal()

    def __init__(self, away: QtWidgets.QToolButton) -> None:
        super().__init__()
        self.away = away
        away.clicked.connect(lambda _checked=False: self.dropped.emit())

    @property
    def stops(self) -> "tuple[QtWidgets.QWidget, ...]":
        """Where the Tab key stops in it, in the order of the eye; the first takes the focus of a new row."""
        raise NotImplementedError

    def _edited(self, *_value: object) -> None:
        self.changed.emit()


R = TypeVar("R", bound=ItemRow)


class ItemList(Part, Generic[R]):
    """`rows`: the uppermost first."""

    def __init__(self, title: str, add: QtWidgets.QToolButton) -> None:
        super().__init__()
        self.rows: list[R] = []
        self.add = add
        self._column = QtWidgets.QVBoxLayout(self)
        tight(self._column)
        heading = QtWidgets.QLabel(title)
        heading.setBuddy(add)
        self._column.addWidget(in_a_row(heading, add))
        add.clicked.connect(self._add)

    def _fresh(self) -> "R | None":
        """A new row, when the artist wants one; None when there is nothing for it."""
        raise NotImplementedError

    def _refresh(self) -> None:
        """Fit to the rows that there are now."""

    @guarded
    def _add(self, _checked: bool = False) -> None:
        row = self._fresh()
        if row is not None:
            self._append(row)
            row.stops[0].setFocus()
            self._edited()

    def _append(self, row: R) -> None:
        row.changed.connect(self._edited)
        row.dropped.connect(lambda: self._take_away(row))
        stops = ((self.rows[-1].stops[-1] if self.rows else self.add), *row.stops)
        self.rows.append(row)
        self._column.addWidget(row)
        # A widget that comes later is the Tab key's last, wherever it lies.
        for first, second in pairwise(stops):
            QtWidgets.QWidget.setTabOrder(first, second)
        self._refresh()

    @guarded
    def _take_away(self, row: R) -> None:
        self._drop(row)
        self.add.setFocus()
        self._edited()

    def _drop(self, row: R) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._refresh()

    def _clear(self) -> None:
        while self.rows:
            self._drop(self.rows[-1])
