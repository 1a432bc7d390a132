"""Into Krita's folders, again, and out."""

from importlib.metadata import version

import pytest

from scumble_core.krita.install import install, uninstall
from scumble_core.krita.places import krita_folders


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "SCUMBLE_DATA_DIR", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    return krita_folders()


def test_plugin_actions_and_words_are_put_where_krita_looks(folders):
    install()
    assert (folders.plugins / "scumble.desktop").is_file()
    assert (folders.plugins / "scumble/locale/de/LC_MESSAGES/scumble.mo").is_file()
    assert (folders.actions / "scumble.action").is_file()
    assert not (folders.plugins / "scumble/scumble.action").exists()
    assert (folders.plugins / "scumble/version.txt").read_text() == version("scumble")
    assert "enable_scumble=true" in folders.settings.read_text()


def test_installing_again_takes_away_what_a_former_version_had(folders):
    install()
    old = folders.plugins / "scumble/old_module.py"
    old.write_text("")
    (folders.actions / "scumble.action").write_text("old")
    install()
    assert not old.exists()
    assert "scumble_refine" in (folders.actions / "scumble.action").read_text()
    assert sorted(path.name for path in folders.plugins.iterdir()) == ["scumble", "scumble.desktop"]


def test_uninstalling_leaves_what_others_put_there(folders):
    folders.actions.mkdir(parents=True)
    (folders.actions / "other.action").write_text("theirs")
    install()
    assert uninstall() == folders.plugins / "scumble"
    assert list(folders.plugins.iterdir()) == []
    assert [path.name for path in folders.actions.iterdir()] == ["other.action"]
    assert uninstall() is None


def test_a_resource_folder_of_ones_own_holds_both(folders, tmp_path):
    install(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere/pykrita/scumble/__init__.py").is_file()
    assert (tmp_path / "elsewhere/actions/scumble.action").is_file()
    assert not folders.plugins.exists()
