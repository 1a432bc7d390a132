"""Small windows that ask. All are opened, never executed: Krita must not run a nested event loop around its nodes."""

from collections.abc import Callable

from scumble.guard import guarded
from scumble.panel.look import plain, tight
from scumble.panel.widgets import Rows, check
from scumble.presets import MOST_NAME, PARTS
from scumble.prompts import MOST_TEMPLATE, PLACE, PromptPair, cleaned
from scumble.qt import QtCore, QtWidgets
from scumble.words import tr


class Asking(QtWidgets.QDialog):
    """A few fields, OK and Cancel. `act` is tried on OK; what it gives back is what was wrong, "" when all is well."""

    def __init__(self, parent: QtWidgets.QWidget, name: str, title: str, act: "Callable[[], str]") -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self._act = act
        fields = QtWidgets.QWidget()
        self.rows = Rows(fields)
        self.problem = QtWidgets.QLabel()
        self.problem.setObjectName(f"{name}_problem")
        self.problem.setWordWrap(True)
        self.problem.hide()
        buttons = QtWidgets.QDialogButtonBox.StandardButton
        self.buttons = QtWidgets.QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self.buttons.accepted.connect(self._try)
        self.buttons.rejected.connect(self.reject)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(fields)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)

    def line(self, name: str, label: str, text: str, most: int, tip: str = "") -> QtWidgets.QLineEdit:
        """A row with a line to write in."""
        line = QtWidgets.QLineEdit(text)
        line.setObjectName(name)
        line.setMaxLength(most)
        line.setMinimumWidth(line.fontMetrics().averageCharWidth() * 30)
        line.setToolTip(tip)
        self.rows.field(label, line)
        return line

    def surprised(self, sentence: str) -> None:
        """A guarded slot met what nobody foresaw."""
        self._say(sentence)

    def _say(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    @guarded
    def _try(self) -> None:
        problem = self._act()
        self._say(problem)
        if not problem:
            self.accept()


class NameDialog(Asking):
    """Asks for a name. `act` gets it."""

    def __init__(self, parent: QtWidgets.QWidget, title: str, name: str, act: "Callable[[str], str]") -> None:
        super().__init__(parent, "scumble_ask_name", title, lambda: act(self.name.text()))
        self.name = self.line("scumble_ask_name_line", tr("&Name"), name, MOST_NAME)
        self.name.selectAll()


class SaveDialog(Asking):
    """Asks for a preset's name, and which parts of the settings it holds."""

    def __init__(
        self,
        parent: QtWidgets.QWidget,
        name: str,
        parts: "frozenset[str]",
        act: "Callable[[str, frozenset[str]], str]",
    ) -> None:
        super().__init__(parent, "scumble_save_preset", tr("Save preset"), lambda: act(self.name.text(), self.chosen))
        titles = {
            "look": (tr("&Look"), tr("Strength, method and all expert settings.")),
            "size": (tr("&Scale"), tr("How much larger the picture becomes.")),
            "prompt": (tr("&Prompts and styles"), tr("Both prompts as they are written now.")),
            "models": (tr("&Models"), tr("Upscaler, model, refiner and LoRAs: another artist may not have them.")),
            "seed": (tr("S&eed"), tr("The seed, and whether it is locked.")),
            "placement": (tr("So&urce and layers"), tr("What is sent, and where the results go.")),
        }
        self.name = self.line("scumble_save_preset_name", tr("&Name"), name, MOST_NAME)
        self.name.selectAll()
        self.boxes = {part: check(f"scumble_save_{part}", *titles[part]) for part in PARTS}
        held = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(held)
        tight(column)
        for part, box in self.boxes.items():
            box.setChecked(part in parts)
            box.toggled.connect(self._bound)
            column.addWidget(box)
        self.rows.addRow(QtWidgets.QLabel(tr("Holds")), held)
        self._bound()

    @property
    def chosen(self) -> "frozenset[str]":
        return frozenset(part for part, box in self.boxes.items() if box.isChecked())

    def _bound(self, *_checked: bool) -> None:
        ok = self.buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Ok)
        if ok is not None:
            ok.setEnabled(bool(self.chosen))


class StyleDialog(Asking):
    """Asks for a style's name and words, beginning with what is in the prompt boxes. `given`: the style."""

    given = QtCore.pyqtSignal(object)

    def __init__(self, parent: QtWidgets.QWidget, pair: PromptPair) -> None:
        super().__init__(parent, "scumble_new_style", tr("New style"), self._give)
        about = tr("{place} stands for what you write in the prompt.").format(place=PLACE)
        self.name = self.line("scumble_style_name", tr("&Name"), "", 60)
        words = f"{PLACE}, {pair.prompt}" if pair.prompt.strip() else f"{PLACE}, "
        self.prompt = self.line("scumble_style_prompt", tr("&Prompt"), " ".join(words.split(" ")), MOST_TEMPLATE, about)
        self.negative = self.line("scumble_style_negative", tr("Negative &words"), pair.negative, MOST_TEMPLATE)
        label = QtWidgets.QLabel(about)
        label.setWordWrap(True)
        self.rows.addRow(label)

    def _give(self) -> str:
        style = cleaned(self.name.text(), self.prompt.text(), self.negative.text())
        if style is None:
            return tr("A style needs a name and some words.")
        self.given.emit(style)
        return ""


def confirm(
    parent: QtWidgets.QWidget, name: str, question: str, action: str, act: "Callable[[], None]"
) -> QtWidgets.QMessageBox:
    """Ask before something is lost."""
    box = QtWidgets.QMessageBox(parent)
    box.setObjectName(name)
    box.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QtWidgets.QMessageBox.Icon.Question)
    box.setWindowTitle(plain(action))
    box.setText(question)
    yes = box.addButton(action, QtWidgets.QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(QtWidgets.QMessageBox.StandardButton.Cancel))
    if yes is not None:
        yes.clicked.connect(lambda _checked=False: act())
    box.open()
    return box


def ask_for_file(
    parent: QtWidgets.QWidget, name: str, title: str, act: "Callable[[str], None]", save_as: str = ""
) -> QtWidgets.QFileDialog:
    """A file to open, or with `save_as` (a proposed name) one to write."""
    dialog = QtWidgets.QFileDialog(parent, title)
    dialog.setObjectName(name)
    dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setNameFilter(tr("Scumble presets") + " (*.json)")
    dialog.setDefaultSuffix("json")
    if save_as:
        dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(save_as)
    else:
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(act)
    dialog.open()
    return dialog
