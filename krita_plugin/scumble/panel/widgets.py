"""What the panel's parts are made of: rows with labels, pickers, numbers, sections that fold."""

from collections.abc import Iterable

from scumble.guard import guarded
from scumble.panel.look import GAP, INDENT, plain, tight
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.settings import Settings
from scumble.words import tr

LABEL = "scumble_label"


class Part(QtWidgets.QWidget):
    """Some of the settings, as widgets. `changed`: the artist has changed one. `failed`: a sentence for people."""

    changed = QtCore.pyqtSignal()
    failed = QtCore.pyqtSignal(str)

    def __init__(self, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self._is_showing = False

    def into(self, settings: Settings) -> Settings:
        """The settings with what is set here."""
        raise NotImplementedError

    def show_settings(self, settings: Settings) -> None:
        """Show them, without a signal."""
        self._is_showing = True
        try:
            self._show(settings)
        finally:
            self._is_showing = False
        self.heed(settings)

    def heed(self, settings: Settings) -> None:
        """Fit to what is set in other parts."""

    def surprised(self, sentence: str) -> None:
        """A guarded slot met what nobody foresaw."""
        self.failed.emit(sentence)

    def _show(self, settings: Settings) -> None:
        raise NotImplementedError

    @guarded
    def _edited(self, *_value: object) -> None:
        if not self._is_showing:
            self.changed.emit()


class Rows(QtWidgets.QFormLayout):
    """Labels and fields. A label leads to its field, by its mnemonic and for screen readers."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        tight(self)
        self.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.setRowWrapPolicy(QtWidgets.QFormLayout.RowWrapPolicy.DontWrapRows)
        alignment = QtCore.Qt.AlignmentFlag
        self.setLabelAlignment(alignment.AlignLeft | alignment.AlignVCenter)

    def field(self, text: str, widget: QtWidgets.QWidget, row: "QtWidgets.QWidget | None" = None) -> QtWidgets.QLabel:
        """A row. `row`: what holds the widget beside others."""
        label = QtWidgets.QLabel(text)
        label.setProperty(LABEL, True)
        label.setBuddy(widget)
        label.setToolTip(widget.toolTip())
        if not widget.accessibleName():
            widget.setAccessibleName(plain(text))
        self.addRow(label, row or widget)
        return label


def align_labels(*roots: QtWidgets.QWidget) -> None:
    """All rows in these get labels of one width, so that their fields begin below each other."""
    labels = [label for root in roots for label in root.findChildren(QtWidgets.QLabel) if label.property(LABEL)]
    for label in labels:
        label.setMinimumWidth(max(one.sizeHint().width() for one in labels))


class Choice(QtWidgets.QComboBox):
    """A picker of ids. One that is set but not offered stays, and says that it is missing."""

    def __init__(self, name: str, tip: str, entries: "Iterable[tuple[str, str]]" = ()) -> None:
        super().__init__()
        self.setObjectName(name)
        self._tip = tip
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        # A long name must not widen the docker.
        self.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self._entries: tuple[tuple[str, str], ...] = ()
        self.currentIndexChanged.connect(self._show_tip)
        self.offer(entries)

    @property
    def chosen(self) -> str:
        """Its id; "" before anything was offered."""
        data = self.currentData()
        return data if isinstance(data, str) else ""

    @property
    def is_missing(self) -> bool:
        """Whether the core doesn't offer what is chosen."""
        return self.count() > 0 and all(value != self.chosen for value, _ in self._entries)

    def offer(self, entries: "Iterable[tuple[str, str]]") -> None:
        """(id, title) each. What was chosen stays chosen; without a signal."""
        was_empty, chosen = self.count() == 0, self.chosen
        self._entries = tuple(entries)
        was_blocked = self.blockSignals(True)
        self.clear()
        for value, title in self._entries:
            self.addItem(title, value)
        if not was_empty:
            self.choose(chosen)
        self.blockSignals(was_blocked)
        self._show_tip()

    def choose(self, value: str) -> None:
        """Choose it, offered or not."""
        if self.findData(value) < 0:
            self.addItem(self._missing(value)[0], value)
        self.setCurrentIndex(self.findData(value))

    def explain(self, tip: str) -> None:
        """Another tool tip."""
        self._tip = tip
        self._show_tip()

    def wheelEvent(self, event: "QtGui.QWheelEvent | None") -> None:
        """A docker that is scrolled must not change what the pointer passes over."""
        _only_with_focus(self, event, super().wheelEvent)

    def _missing(self, value: str) -> "tuple[str, str]":
        """How it is called when it isn't offered, and what to do."""
        return (
            tr("Missing: {name}").format(name=_short(value)),
            tr("The core does not have it: choose another, or put it back."),
        )

    def _show_tip(self, *_index: int) -> None:
        gone = self._missing(self.chosen)[1] if self.is_missing else ""
        # What the narrow docker cuts off.
        self.setToolTip("\n".join(part for part in (self._tip, self.currentText(), gone) if part))


class Number(QtWidgets.QDoubleSpinBox):
    """A number within its range. `factor`: from the value to what is shown; `step`: of the arrows, as shown.

    `is_auto`: 0 is allowed too, shown as "Automatic". A value that was set comes back as it was, with all its digits,
    as long as the artist doesn't touch it.
    """

    def __init__(
        self,
        name: str,
        tip: str,
        limits: "tuple[float, float]",
        *,
        step: float = 1,
        decimals: int = 0,
        factor: float = 1,
        suffix: str = "",
        is_auto: bool = False,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setDecimals(decimals)
        self.setSingleStep(step)
        self.setAccelerated(True)
        self.setKeyboardTracking(False)
        self.setSuffix(suffix)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self._factor, self._is_auto = factor, is_auto
        self._exact: float = 0
        self._shown = 0.0
        self.limit(limits)
        if is_auto:
            self.setSpecialValueText(tr("Automatic"))
        self.editingFinished.connect(self._leave_gap)

    @property
    def exact(self) -> float:
        """The value, without the factor."""
        return self._exact if self.value() == self._shown else self.value() / self._factor

    def show_exact(self, value: float) -> None:
        self.setValue(value * self._factor)
        self._exact, self._shown = value, self.value()

    def limit(self, limits: "tuple[float, float]") -> None:
        """Another range. A value that was set and lay beyond the old one is shown again."""
        is_untouched = self.value() == self._shown
        self._low = limits[0] * self._factor
        was_blocked = self.blockSignals(True)
        self.setRange(0 if self._is_auto else self._low, limits[1] * self._factor)
        if is_untouched:
            self.show_exact(self._exact)
        self.blockSignals(was_blocked)

    def stepBy(self, steps: int) -> None:
        """Nothing lies between "Automatic" and the lowest value, and no step goes over that one."""
        lowest = max(self._low, self.singleStep())
        if self._is_auto and self.value() == 0 < steps:
            self.setValue(lowest)
        elif self._is_auto and steps < 0:
            stepped = max(lowest, self.value() + steps * self.singleStep())
            self.setValue(stepped if self.value() > lowest else 0)
        else:
            super().stepBy(steps)

    def textFromValue(self, value: float) -> str:
        """Without idle zeros."""
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if self.decimals() and point in text else text

    def wheelEvent(self, event: "QtGui.QWheelEvent | None") -> None:
        _only_with_focus(self, event, super().wheelEvent)

    def _leave_gap(self) -> None:
        if self._is_auto and 0 < self.value() < self._low:
            self.setValue(self._low)


class Section(QtWidgets.QWidget):
    """A heading that folds what is below it. `toggled`: with whether it is open."""

    toggled = QtCore.pyqtSignal(bool)

    def __init__(self, name: str, title: str, content: QtWidgets.QWidget) -> None:
        super().__init__()
        self.is_open = False
        self.heading = QtWidgets.QToolButton()
        self.heading.setObjectName(name)
        self.heading.setText(title)
        self.heading.setAutoRaise(True)
        self.heading.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.heading.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Fixed)
        self._folding = QtWidgets.QWidget()
        inner = QtWidgets.QHBoxLayout(self._folding)
        inner.setContentsMargins(INDENT, 0, 0, GAP)
        inner.addWidget(content)
        column = QtWidgets.QVBoxLayout(self)
        tight(column)
        column.addWidget(self.heading)
        column.addWidget(self._folding)
        self.heading.clicked.connect(lambda _checked=False: self.set_open(not self.is_open))
        self._show()

    def set_open(self, is_open: bool) -> None:
        if is_open != self.is_open:
            self.is_open = is_open
            self._show()
            self.toggled.emit(is_open)

    def _show(self) -> None:
        arrows = QtCore.Qt.ArrowType
        self.heading.setArrowType(arrows.DownArrow if self.is_open else arrows.RightArrow)
        words = tr("opened") if self.is_open else tr("folded")
        self.heading.setAccessibleName(f"{plain(self.heading.text())}, {words}")
        self.heading.setToolTip(
            tr("Folds this part of the panel.") if self.is_open else tr("Opens this part of the panel.")
        )
        self._folding.setVisible(self.is_open)


def check(name: str, title: str, tip: str) -> QtWidgets.QCheckBox:
    """A box to tick."""
    box = QtWidgets.QCheckBox(title)
    box.setObjectName(name)
    box.setToolTip(tip)
    return box


def _only_with_focus(widget: QtWidgets.QWidget, event: "QtGui.QWheelEvent | None", turn: object) -> None:
    if event is None:
        return
    if widget.hasFocus() and callable(turn):
        turn(event)
    else:
        event.ignore()


def _short(value: str) -> str:
    """A path's last part."""
    return value.replace("\\", "/").rstrip("/").rpartition("/")[2] or value
