"""What should be in the picture, and what should not; with the prompts of earlier runs, and styles."""

import math
from dataclasses import replace

from scumble.guard import guarded
from scumble.panel.dialogs import StyleDialog
from scumble.panel.look import Look, note, open_menu, plain, tight
from scumble.panel.widgets import Part
from scumble.prompts import (
    MOST_PROMPT,
    PromptHistory,
    PromptPair,
    Snippet,
    Walk,
    shipped,
    with_snippet,
    without_snippet,
)
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.settings import MOST_STYLES, Settings
from scumble.words import tr

# These read no text.
WORDLESS = frozenset({"starter"})
_MOST_LETTERS = 48
_MOST_LINES = 6


class PromptBoxes(Part):
    """`history_changed`, `styles_changed`: time to store `history`, or the artist's own `styles`."""

    history_changed = QtCore.pyqtSignal()
    styles_changed = QtCore.pyqtSignal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.history = PromptHistory()
        self.styles: tuple[Snippet, ...] = ()
        self._chosen: tuple[Snippet, ...] = ()
        self._walk: Walk | None = None
        self.prompt = PromptEdit("scumble_prompt", 2)
        self.negative = PromptEdit("scumble_negative", 1)
        self.negative.setToolTip(tr("What the picture is led away from. Costs time with models that read text."))
        self.earlier = look.button(
            "scumble_prompt_history",
            "document-open-recent",
            "↑",
            tr("Earlier prompts"),
            tr("The prompts of earlier runs. In the boxes: Ctrl+Up and Ctrl+Down."),
        )
        self.style_button = look.button(
            "scumble_styles",
            "palette-library",
            tr("Styles") + " ▾",
            tr("Styles"),
            tr("Words that give the picture a manner: they go around the prompt."),
        )
        self.said = note("scumble_styles_chosen")
        self._menu = QtWidgets.QMenu(self)
        self._lay_out()
        for box in (self.prompt, self.negative):
            box.textChanged.connect(self._written)
            box.leafed.connect(self._leaf)
        self.earlier.clicked.connect(self._open_history)
        self.style_button.clicked.connect(self._open_styles)
        self.show_history(self.history)
        self._say_styles()

    @property
    def pair(self) -> PromptPair:
        """What is written."""
        return PromptPair(self.prompt.text(), self.negative.text())

    def into(self, settings: Settings) -> Settings:
        pair = self.pair
        return replace(settings, prompt=pair.prompt, negative_prompt=pair.negative, styles=self._chosen)

    def heed(self, settings: Settings) -> None:
        """Say whether the model reads any of it."""
        reads = settings.base not in WORDLESS
        hint = tr("What is in the picture") if reads else tr("The starter model reads no text")
        self.prompt.setPlaceholderText(hint)
        self.negative.setPlaceholderText(tr("What should not be in it") if reads else "")
        words = settings.words
        about = tr("What the picture shows. Describe it as it is; the words steer the detail that is painted anew.")
        read = tr("The model reads: {words}").format(words=words.prompt) if settings.styles else ""
        self.prompt.setToolTip("\n\n".join(part for part in (about, read) if part))

    def remember(self) -> None:
        """A run begins with these prompts."""
        self.show_history(self.history.add(self.pair))
        self.history_changed.emit()

    def show_history(self, history: PromptHistory) -> None:
        self.history, self._walk = history, None
        self.earlier.setEnabled(bool(history.entries))

    def show_styles(self, own: "tuple[Snippet, ...]") -> None:
        """The artist's own, beside the shipped ones."""
        self.styles = own

    def history_menu(self) -> QtWidgets.QMenu:
        """The earlier prompts, each in a line."""
        self._menu.clear()
        for entry in self.history.entries:
            line = " ".join((entry.prompt or f"– {entry.negative}").split())
            short = line if len(line) <= _MOST_LETTERS else line[: _MOST_LETTERS - 1] + "…"
            action = self._menu.addAction(short.replace("&", "&&"))
            assert action is not None
            action.setToolTip(line)
            action.triggered.connect(lambda _checked=False, entry=entry: self._write(entry))
        return self._menu

    def style_menu(self) -> QtWidgets.QMenu:
        """All styles, ticked where they are in use; new ones, and own ones to forget."""
        self._menu.clear()
        known = (*shipped(), *self.styles)
        foreign = tuple(style for style in self._chosen if not any(_equal(style, one) for one in known))
        for style in (*known, *foreign):
            action = self._menu.addAction(style.name.replace("&", "&&"))
            assert action is not None
            action.setCheckable(True)
            action.setChecked(any(_equal(style, one) for one in self._chosen))
            action.triggered.connect(lambda checked=False, style=style: self._use(style, checked))
        self._menu.addSeparator()
        new = self._menu.addAction(tr("New style…"))
        assert new is not None
        new.triggered.connect(self._ask_for_style)
        if self.styles:
            forget = self._menu.addMenu(tr("Delete a style"))
            assert forget is not None
            for style in self.styles:
                action = forget.addAction(style.name.replace("&", "&&"))
                assert action is not None
                action.triggered.connect(lambda _checked=False, style=style: self._forget(style))
        return self._menu

    def _show(self, settings: Settings) -> None:
        self._chosen = settings.styles
        self.prompt.show_text(settings.prompt)
        self.negative.show_text(settings.negative_prompt)
        self._walk = None
        self._say_styles()

    @guarded
    def _open_history(self) -> None:
        open_menu(self.earlier, self.history_menu())

    @guarded
    def _open_styles(self) -> None:
        open_menu(self.style_button, self.style_menu())

    @guarded
    def _write(self, pair: PromptPair) -> None:
        self.prompt.show_text(pair.prompt)
        self.negative.show_text(pair.negative)

    @guarded
    def _written(self) -> None:
        self._walk = None
        self._edited()

    @guarded
    def _leaf(self, is_older: bool) -> None:
        walk = self._walk or Walk(self.history, self.pair)
        walk = walk.older() if is_older else walk.newer()
        self._write(walk.pair)
        self._walk = walk

    @guarded
    def _use(self, style: Snippet, is_used: bool) -> None:
        others = tuple(one for one in self._chosen if not _equal(one, style))
        self._chosen = (*others, style)[-MOST_STYLES:] if is_used else others
        self._say_styles()
        self._edited()

    @guarded
    def _ask_for_style(self) -> None:
        dialog = StyleDialog(self, self.pair)
        dialog.given.connect(self._add)
        dialog.open()

    @guarded
    def _add(self, style: Snippet) -> None:
        self.styles = with_snippet(self.styles, style)
        self.styles_changed.emit()
        self._use(style, True)

    @guarded
    def _forget(self, style: Snippet) -> None:
        self.styles = without_snippet(self.styles, style.name)
        self.styles_changed.emit()
        self._use(style, False)

    def _say_styles(self) -> None:
        names = ", ".join(style.name for style in self._chosen)
        self.said.setText(tr("Style: {names}").format(names=names))
        self.said.setVisible(bool(names))

    def _lay_out(self) -> None:
        column = QtWidgets.QVBoxLayout(self)
        tight(column)
        heading = QtWidgets.QHBoxLayout()
        tight(heading)
        heading.addWidget(_label(tr("Pro&mpt"), self.prompt), 1)
        heading.addWidget(self.style_button)
        heading.addWidget(self.earlier)
        column.addLayout(heading)
        column.addWidget(self.prompt)
        column.addWidget(self.said)
        column.addWidget(_label(tr("Neg&ative prompt"), self.negative))
        column.addWidget(self.negative)


class PromptEdit(QtWidgets.QPlainTextEdit):
    """Grows with its text. `leafed`: Ctrl+Up (True, to older prompts) or Ctrl+Down (False) was pressed."""

    leafed = QtCore.pyqtSignal(bool)
    # Qt resizes the box while it builds it.
    _least = 1

    def __init__(self, name: str, lines: int, most: int = MOST_PROMPT) -> None:
        """`lines`: at least so many are shown; `most`: letters."""
        super().__init__()
        self._most = most
        self.setObjectName(name)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setLineWrapMode(QtWidgets.QPlainTextEdit.LineWrapMode.WidgetWidth)
        self._least = lines
        self._given = self._shown = ""
        self.textChanged.connect(self._grow)
        self._grow()

    def text(self) -> str:
        """At most as much as can be sent. Text that nobody touched comes back as it was, whatever Qt made of it."""
        written = self.toPlainText()
        return self._given if written == self._shown else written[: self._most]

    def show_text(self, text: str) -> None:
        self.setPlainText(text)
        self._given, self._shown = text, self.toPlainText()

    def keyPressEvent(self, event: "QtGui.QKeyEvent | None") -> None:
        keys = QtCore.Qt.Key
        with_control = event is not None and event.modifiers() & QtCore.Qt.KeyboardModifier.ControlModifier
        if event is not None and with_control and event.key() in (keys.Key_Up, keys.Key_Down):
            self.leafed.emit(event.key() == keys.Key_Up)
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: "QtGui.QResizeEvent | None") -> None:
        super().resizeEvent(event)
        self._grow()

    def insertFromMimeData(self, source: "QtCore.QMimeData | None") -> None:
        """Text alone, and no more of it than fits."""
        if source is not None and source.hasText():
            self.insertPlainText(source.text()[: self._most])

    def _grow(self) -> None:
        document = self.document()
        if document is None:
            return
        # A plain text document's height is in lines. How high one is, its layout knows better than the font.
        lines = min(max(round(document.size().height()), self._least), _MOST_LINES)
        layout = document.firstBlock().layout()
        laid_out = layout.lineAt(0).height() if layout is not None and layout.lineCount() else 0.0
        line = max(laid_out, float(self.fontMetrics().lineSpacing()))
        self.setFixedHeight(math.ceil(line * lines + 2 * (document.documentMargin() + self.frameWidth())) + 1)


def _label(text: str, box: QtWidgets.QWidget) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setBuddy(box)
    box.setAccessibleName(plain(text))
    return label


def _equal(one: Snippet, other: Snippet) -> bool:
    """Whether they say the same; a shipped one's name depends on the language."""
    return one[1:] == other[1:]
