"""The seed: any number of 64 bits, a die to throw a new one, a lock to keep it from run to run."""

from collections.abc import Callable
from dataclasses import replace

from scumble.guard import guarded
from scumble.panel.look import Look, in_a_row
from scumble.panel.widgets import Part, Rows
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.settings import MOST_SEED, Settings, fresh_seed
from scumble.words import tr


class SeedBox(QtWidgets.QAbstractSpinBox):
    """A whole number from 0 to 2^64 - 1; Qt's own boxes end at 2^31."""

    value_changed = QtCore.pyqtSignal()
    # Qt asks for the value while it builds the box.
    _seed = 0

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("scumble_seed")
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        # A neighbouring seed is as strange as any other: arrows would only take room from its digits.
        self.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self._show()
        self.editingFinished.connect(self._take)

    def value(self) -> int:
        """What is written, or what was set last while nothing is."""
        written = self.text().strip()
        return int(written) if _is_seed(written) else self._seed

    def setValue(self, seed: int) -> None:
        is_new = seed != self._seed
        self._seed = min(max(seed, 0), MOST_SEED)
        self._show()
        if is_new:
            self.value_changed.emit()

    def stepBy(self, steps: int) -> None:
        self.setValue(min(max(self.value() + steps, 0), MOST_SEED))

    def stepEnabled(self) -> "QtWidgets.QAbstractSpinBox.StepEnabledFlag":
        flags, seed = QtWidgets.QAbstractSpinBox.StepEnabledFlag, self.value()
        down = flags.StepDownEnabled if seed > 0 else flags.StepNone
        return down | (flags.StepUpEnabled if seed < MOST_SEED else flags.StepNone)

    def validate(self, text: "str | None", position: int) -> "tuple[QtGui.QValidator.State, str, int]":
        """Spaces around a pasted number are no fault."""
        states, written = QtGui.QValidator.State, (text or "").strip()
        if not written:
            return states.Intermediate, text or "", position
        return (states.Acceptable if _is_seed(written) else states.Invalid), text or "", position

    def fixup(self, _text: "str | None") -> str:
        return str(self._seed)

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(self.fontMetrics().horizontalAdvance("0" * 7) + 12, super().sizeHint().height())

    def minimumSizeHint(self) -> QtCore.QSize:
        return self.sizeHint()

    def wheelEvent(self, event: "QtGui.QWheelEvent | None") -> None:
        if event is not None and self.hasFocus():
            super().wheelEvent(event)
        elif event is not None:
            event.ignore()

    def _take(self) -> None:
        seed = self.value()
        if seed != self._seed:
            self._seed = seed
            self.value_changed.emit()
        self._show()

    def _show(self) -> None:
        line = self.lineEdit()
        if line is not None and line.text() != str(self._seed):
            line.setText(str(self._seed))
            line.setCursorPosition(0)


class SeedRow(Part):
    """`draw`: throws the die."""

    def __init__(self, look: Look, draw: "Callable[[], int]" = fresh_seed) -> None:
        super().__init__()
        self._look, self._draw = look, draw
        self.seed = SeedBox()
        self.dice = look.button(
            "scumble_dice", "", "⚄", tr("New seed"), tr("Throw a new seed: the same subject, other details.")
        )
        self.lock = look.button("scumble_seed_lock", "", "", "", "")
        self.lock.setCheckable(True)
        Rows(self).field(tr("See&d"), self.seed, in_a_row(self.seed, self.dice, self.lock))
        self.seed.value_changed.connect(self._seed_changed)
        self.dice.clicked.connect(self._throw)
        self.lock.toggled.connect(self._lock_toggled)
        self._show_lock(False)
        self._show_tip()

    def into(self, settings: Settings) -> Settings:
        return replace(settings, seed=self.seed.value(), seed_locked=self.lock.isChecked())

    def _show(self, settings: Settings) -> None:
        self.seed.setValue(settings.seed)
        self.lock.setChecked(settings.seed_locked)

    @guarded
    def _seed_changed(self) -> None:
        self._show_tip()
        self._edited()

    def _show_tip(self) -> None:
        """With the whole number, which a narrow docker cuts off."""
        about = tr("Where the chance in refining begins: the same seed and settings give the same picture again.")
        self.seed.setToolTip(f"{about}\n{self.seed.value()}")

    @guarded
    def _throw(self) -> None:
        self.seed.setValue(self._draw())

    @guarded
    def _lock_toggled(self, is_locked: bool) -> None:
        self._show_lock(is_locked)
        self._edited()

    def _show_lock(self, is_locked: bool) -> None:
        locked = tr(
            "Every run uses this seed: the same settings give the same picture. Unlock for a new seed each run."
        )
        free = tr("Each run draws a new seed, and so other details. Lock to use this seed again and again.")
        self._look.dress(
            self.lock,
            "layer-locked" if is_locked else "layer-unlocked",
            "=" if is_locked else "≠",
            tr("Lock the seed"),
            locked if is_locked else free,
        )


def _is_seed(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= 20 and int(written) <= MOST_SEED
