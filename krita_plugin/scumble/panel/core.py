"""The core's own section: how it does, what to do first, and what to tell who helps."""

from collections.abc import Callable

from scumble.amounts import bytes_of, number
from scumble.core.guide import Step, guide
from scumble.core.link import Core
from scumble.core.state import CoreState
from scumble.guard import guarded
from scumble.panel.look import push
from scumble.qt import QtCore, QtWidgets
from scumble.words import ntr, tr


class CoreBox(QtWidgets.QWidget):
    """`diagnostics`: makes the text to copy, when it is asked for."""

    def __init__(self, core: Core, diagnostics: "Callable[[], str]", parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self._core = core
        self._diagnostics = diagnostics
        self._steps: tuple[Step, ...] = ()
        self.state = _label("scumble_core_state")
        self.facts = _label("scumble_core_facts")
        self.start = push(
            "scumble_core_start", tr("Start"), tr("Start the core now, so that the first run begins sooner.")
        )
        self.restart = push(
            "scumble_core_restart", tr("Restart"), tr("End the core and start it anew; runs go on after.")
        )
        self.stop = push("scumble_core_stop", tr("Stop"), tr("End the core and give its memory back."))
        self.copy = push(
            "scumble_core_copy",
            tr("Copy diagnostics"),
            tr("Versions, device and the last lines of the logs, without names, prompts and file names."),
        )
        self.guide = QtWidgets.QWidget()
        self.guide.setObjectName("scumble_core_guide")
        QtWidgets.QVBoxLayout(self.guide).setContentsMargins(0, 0, 0, 0)
        buttons = QtWidgets.QHBoxLayout()
        for button in (self.start, self.restart, self.stop):
            buttons.addWidget(button, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.state, self.guide, self.facts):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addWidget(self.copy)
        self.start.clicked.connect(self._start)
        self.restart.clicked.connect(core.restart)
        self.stop.clicked.connect(core.stop)
        self.copy.clicked.connect(self._copy)
        core.changed.connect(self._show)
        self._show(core.state)

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self.state.setText(sentence)

    @guarded
    def _start(self) -> None:
        self._core.ensure()

    @guarded
    def _show(self, state: CoreState) -> None:
        self.state.setText(state.mismatch or state.sentence)
        self.facts.setText("\n".join(facts_of(state)))
        self.facts.setVisible(bool(self.facts.text()))
        connected = state.phase == "connected"
        self.start.setVisible(not connected)
        self.start.setEnabled(state.phase in ("off", "missing", "failed"))
        self.restart.setVisible(connected or state.phase == "failed")
        self.stop.setVisible(connected)
        steps = guide(state)
        if steps != self._steps:
            self._steps = steps
            self._lay_guide(steps)
        self.guide.setVisible(bool(steps))

    def _lay_guide(self, steps: "tuple[Step, ...]") -> None:
        column = self.guide.layout()
        assert column is not None
        while column.count():
            item = column.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for at, step in enumerate(steps):
            column.addWidget(_said(step.text))
            if step.command:
                column.addWidget(self._typed(step.command, at))

    def _typed(self, command: str, at: int) -> QtWidgets.QWidget:
        """What is to be typed, with a button that copies it."""
        row = QtWidgets.QWidget()
        field = QtWidgets.QLineEdit(command)
        field.setObjectName(f"scumble_command_{at}")
        field.setReadOnly(True)
        copy = QtWidgets.QToolButton()
        copy.setObjectName(f"scumble_copy_{at}")
        copy.setText(tr("Copy"))
        copy.setToolTip(tr("Copy what is to be typed"))
        copy.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        copy.clicked.connect(lambda: _to_clipboard(command))
        layout = QtWidgets.QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(field, 1)
        layout.addWidget(copy)
        return row

    @guarded
    def _copy(self) -> None:
        try:
            text = self._diagnostics()
        except Exception as error:  # what helps with errors must not make new ones
            text = f"The diagnostics could not be gathered: {type(error).__name__}"
        _to_clipboard(text)
        self.copy.setText(tr("Copied"))
        QtCore.QTimer.singleShot(1500, self._said)

    @guarded
    def _said(self) -> None:
        self.copy.setText(tr("Copy diagnostics"))


def facts_of(state: CoreState) -> "list[str]":
    """Device, memory and models, for people."""
    described = state.described
    if described is None:
        return []
    worker = {
        "off": tr("The models are not loaded."),
        "starting": tr("The worker is starting…"),
        "ready": tr("The worker is ready."),
        "busy": tr("The worker is at work."),
    }
    lines = [tr("Version {version}").format(version=described.core_version)]
    if described.device != "unknown":  # until the worker has told
        lines = [tr("Version {version}, on {device}").format(version=described.core_version, device=described.device)]
    if described.memory:
        lines.append(
            tr("Memory: {free} free of {total}").format(free=bytes_of(described.free), total=bytes_of(described.memory))
        )
    lines.append(worker.get(described.worker, described.worker))
    if described.loaded:
        lines.append(tr("Loaded: {models}").format(models=", ".join(described.loaded)))
    if described.left_out:
        more = ntr(
            "{count} model more than the lists can hold: those used last are in them.",
            "{count} models more than the lists can hold: those used last are in them.",
            described.left_out,
        )
        lines.append(more.format(count=number(described.left_out)))
    return lines


def _to_clipboard(text: str) -> None:
    clipboard = QtWidgets.QApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)


def _label(name: str) -> QtWidgets.QLabel:
    label = _said("")
    label.setObjectName(name)
    return label


def _said(text: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        QtCore.Qt.TextInteractionFlag.TextSelectableByMouse | QtCore.Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
