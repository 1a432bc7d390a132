"""One package for both: the PyQt of the Krita it is in, and nothing that only the other one has.

Krita 5's PyQt5 is that of Debian (python3-pyqt5), in Debian's own Python, in a process of its own: both in one process
crash.
"""

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "krita_plugin/scumble"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
    "PYTHONPATH": os.pathsep.join([str(ROOT / "krita_plugin"), str(ROOT / "bridge")]),
    "PYTHONDONTWRITEBYTECODE": "1",
    "QT_QPA_PLATFORM": "offscreen",
}
IMPORT_ALL = """
import importlib, json, sys
import {first}.QtCore
failed = {{}}
for name in {names}:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps([failed, sorted(name for name in sys.modules if name in ("PyQt5", "PyQt6"))]))
"""
LOOK_UP = """
import json, sys
from importlib import import_module
missing = []
for chain in {chains}:
    module, *names = chain.split(".")
    found = import_module("{pyqt}." + module)
    try:
        for name in names:
            found = getattr(found, name)
    except AttributeError:
        missing.append(chain)
print(json.dumps(missing))
"""


@cache
def debian_python() -> "str | None":
    """A Python that has PyQt5, if there is one."""
    for candidate in ("/usr/bin/python3", "python3"):
        try:
            done = subprocess.run([candidate, "-c", "import PyQt5.QtWidgets"], env=ENVIRONMENT, capture_output=True)
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


@pytest.fixture
def python5() -> str:
    found = debian_python()
    if found is None:
        if os.environ.get("SCUMBLE_REQUIRE_KRITA"):
            pytest.fail("python3-pyqt5 is missing")
        pytest.skip("python3-pyqt5 is missing")
    return found


def modules_without_krita() -> list[str]:
    """All modules but those that import Krita's own, directly or by another module of ours."""
    sources = {}
    for file in sorted(PLUGIN.rglob("*.py")):
        parts = ("scumble", *file.relative_to(PLUGIN).with_suffix("").parts)
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(file.read_text("utf-8"))
    needs = {name: imported_by(tree) for name, tree in sources.items()}
    inside = {name for name, wanted in needs.items() if "krita" in wanted and name != "scumble"}
    while more := {name for name, wanted in needs.items() if wanted & inside and name != "scumble"} - inside:
        inside |= more
    return [name for name in sources if name not in inside]


def imported_by(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def qt_names() -> list[str]:
    """Every `QtCore.Qt.AlignmentFlag.AlignLeft` in the code, wherever it stands."""
    found = set()
    for file in PLUGIN.rglob("*.py"):
        if file.name == "qt.py":
            continue
        tree = ast.parse(file.read_text("utf-8"))
        inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and id(node) not in inner:
                chain = ast.unparse(node)
                if chain.startswith(("QtCore.", "QtGui.", "QtWidgets.")) and chain.replace(".", "").isidentifier():
                    found.add(chain)
    return sorted(found)


def run(python: str, code: str):
    done = subprocess.run([python, "-c", code], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_all_but_kritas_own_modules_are_tried():
    names = modules_without_krita()
    assert {"scumble", "scumble.qt", "scumble.words", "scumble.actions", "scumble.panel"} <= set(names)
    assert "scumble.register" not in names


def test_all_modules_import_with_pyqt5_and_none_brings_pyqt6_with_it(python5):
    failed, loaded = run(python5, IMPORT_ALL.format(first="PyQt5", names=modules_without_krita()))
    assert failed == {}
    assert loaded == ["PyQt5"]


def test_all_modules_import_with_pyqt6():
    failed, loaded = run(sys.executable, IMPORT_ALL.format(first="PyQt6", names=modules_without_krita()))
    assert failed == {}
    assert loaded == ["PyQt6"]


def test_every_name_of_qt_is_in_pyqt5(python5):
    assert run(python5, LOOK_UP.format(pyqt="PyQt5", chains=qt_names())) == []


def test_every_name_of_qt_is_in_pyqt6():
    assert run(sys.executable, LOOK_UP.format(pyqt="PyQt6", chains=qt_names())) == []


@pytest.mark.parametrize(
    ("pykrita", "wanted"),
    [("types.ModuleType('pykrita')", 5), ("types.SimpleNamespace(qt_major_version=lambda: 6)", 6)],
)
def test_without_a_loaded_pyqt_kritas_word_counts_and_silence_means_5(pykrita, wanted):
    code = f"import sys, types; sys.modules['pykrita'] = {pykrita}; sys.modules['PyQt5'] = None\n"
    code += "try:\n    import scumble.qt\n    print(6)\n"
    code += "except ImportError as error:\n    print(5 if 'PyQt5' in str(error) else 0)"
    assert run(sys.executable, code) == wanted


EVENTS = """
import sys, json
import {pyqt}.QtCore
from scumble.qt import IS_QT6, QAction, QtCore, QtGui, QtWidgets, number_of, place_in, place_on_screen
app = QtWidgets.QApplication([])
Qt = QtCore.Qt
event = QtGui.QMouseEvent(QtCore.QEvent.Type.MouseButtonPress, QtCore.QPointF(3, 4), QtCore.QPointF(3, 4),
    QtCore.QPointF(13, 14), Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
here, there = place_in(event), place_on_screen(event)
print(json.dumps([IS_QT6, here.x(), here.y(), there.x(), there.y(), number_of(Qt.Key.Key_Escape),
    number_of(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), QAction("a").text()]))
"""


def test_both_say_the_same_of_events_enums_and_actions(python5):
    five = run(python5, EVENTS.format(pyqt="PyQt5"))
    six = run(sys.executable, EVENTS.format(pyqt="PyQt6"))
    assert (five[0], six[0]) == (False, True)
    assert five[1:] == six[1:] == [3, 4, 13, 14, 0x01000000, 0x21, "a"]
