"""One source, one page, and pictures that the tour takes."""

import re

from tools.manual.page import PAGE, SOURCE, page
from tools.tour.__main__ import MANUAL
from tools.tour.scenes import SCENES

from scumble.actions import actions


def test_manual_html_is_what_the_script_makes_of_the_source():
    assert PAGE.read_text("utf-8") == page(SOURCE.read_text("utf-8"))


def test_every_picture_is_one_of_the_tours_and_there():
    pictures = re.findall(r'src="([^"]+)"', PAGE.read_text("utf-8"))
    assert pictures
    assert {f"manual/{scene.manual_name}" for scene in SCENES} >= set(pictures)
    assert [name for name in pictures if not (PAGE.parent / name).is_file()] == []


def test_every_picture_that_is_there_is_shown():
    shown = {name.removeprefix("manual/") for name in re.findall(r'src="([^"]+)"', PAGE.read_text("utf-8"))}
    assert {path.name for path in MANUAL.iterdir()} - shown == set()


def test_every_action_is_in_the_table_of_keys():
    text = SOURCE.read_text("utf-8")
    rows = [f"| {row.text.removeprefix('Scumble: ')} | {row.shortcut} |" for row in actions()]
    assert [row for row in rows if row not in text] == []


def test_no_picture_is_wider_than_the_help_page():
    from PIL import Image

    for path in MANUAL.iterdir():
        with Image.open(path) as picture:
            assert picture.width <= 900, path.name
