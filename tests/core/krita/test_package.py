"""The archive for Krita's importer."""

import gettext
import re
import zipfile
from importlib.metadata import version

import pytest

from scumble.actions import actions
from scumble_core.krita.package import build_zip


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "scumble.zip"
    build_zip(path)
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_manifest_and_actions_lie_at_the_top_and_the_folder_has_an_entry_of_its_own(archive):
    names = archive.namelist()
    assert {"scumble.desktop", "scumble.action", "scumble/", "scumble/__init__.py", "scumble/Manual.html"} <= set(names)
    assert len(set(names)) == len(names)
    assert {name.split("/")[0] for name in names} == {"scumble", "scumble.desktop", "scumble.action"}


def test_the_actions_file_names_every_action(archive):
    text = archive.read("scumble.action").decode()
    assert all(f'name="{row.id}"' in text and f"<shortcut>{row.shortcut}</shortcut>" in text for row in actions())


@pytest.mark.parametrize("language", ["de", "fr"])
def test_the_words_are_in_it_compiled_and_not_as_translators_have_them(archive, language):
    with archive.open(f"scumble/locale/{language}/LC_MESSAGES/scumble.mo") as file:
        assert gettext.GNUTranslations(file).gettext("Scumble: Cancel") != "Scumble: Cancel"
    assert not [name for name in archive.namelist() if name.endswith((".po", ".pot", ".pyc"))]


def test_it_says_its_version_for_the_core_to_be_compared_with(archive):
    assert archive.read("scumble/version.txt").decode() == version("scumble")


def test_the_same_files_make_the_same_archive(tmp_path):
    build_zip(tmp_path / "one.zip")
    build_zip(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_manual_carries_its_pictures_and_all_is_small(archive):
    manual = archive.read("scumble/Manual.html").decode()
    pictures = re.findall(r'src="([^"]+)"', manual)
    assert pictures
    assert all(source.startswith("data:image/") for source in pictures)
    assert not [name for name in archive.namelist() if name.startswith("scumble/manual/")]
    assert sum(entry.compress_size for entry in archive.infolist()) < 2_000_000
