"""Step-downs, settings and the device, as they lie in the data folder."""

import json

import pytest

from scumble_core.errors import RequestError
from scumble_core.models.memory.facts import DeviceFacts
from scumble_core.models.memory.known import known_device, note_device
from scumble_core.models.memory.learnt import NAME, Learnt, Lessons
from scumble_core.models.memory.wishes import SETTINGS, VARIABLE, Wishes, read_wishes

CARD = DeviceFacts("cuda", "Card", 8 * 2**30, 6 * 2**30, "float16", 2**34)


def test_a_lesson_counts_for_its_device_and_model_and_adds_to_others(tmp_path):
    Lessons(tmp_path, "one", 100).note("sdxl", batch=1)
    Lessons(tmp_path, "one", 100).note("sdxl", offload="model")
    assert Lessons(tmp_path, "one", 100).of("sdxl") == Learnt(batch=1, offload="model")
    assert Lessons(tmp_path, "two", 100).of("sdxl") == Lessons(tmp_path, "one", 100).of("sd15") == Learnt()


def test_a_lesson_is_tried_again_when_clearly_more_is_free(tmp_path):
    Lessons(tmp_path, "one", 100).note("sdxl", window=512)
    assert Lessons(tmp_path, "one", 120).of("sdxl").window == 512
    assert Lessons(tmp_path, "one", 130).of("sdxl") == Learnt()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"one": 3}', '{"one": {"sdxl": []}}', "\x00"])
def test_a_damaged_file_is_begun_anew(tmp_path, content):
    (tmp_path / NAME).write_text(content)
    lessons = Lessons(tmp_path, "one", None)
    assert lessons.of("sdxl") == Learnt()
    lessons.note("sdxl", pixels=5)
    assert lessons.of("sdxl").pixels == 5


def test_fields_of_another_version_are_passed_over(tmp_path):
    (tmp_path / NAME).write_text(json.dumps({"one": {"sdxl": {"batch": "1", "window": 256, "new": 1, "offload": "x"}}}))
    assert Lessons(tmp_path, "one", None).of("sdxl") == Learnt(window=256)


def test_the_file_does_not_grow_for_ever(tmp_path):
    lessons = Lessons(tmp_path, "one", None)
    for number in range(205):
        lessons.note(str(number), batch=1)
    assert lessons.of("204").batch == 1 and lessons.of("0") == Learnt()


def test_the_environment_counts_more_than_the_settings_file(tmp_path):
    assert read_wishes(tmp_path, {}) == Wishes()
    (tmp_path / SETTINGS).write_text('{"memory": {"offload": "group", "free": 6}, "other": 1}')
    assert read_wishes(tmp_path, {}) == Wishes(offload="group", free=6.0)
    given = {VARIABLE: "offload=model, vae_window=512, compile=blocks"}
    assert read_wishes(tmp_path, given) == Wishes(offload="model", free=6.0, vae_window=512, compile="blocks")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("offload=fast", "none, model, group, sequential"), ("precision=half", "float32, float16, bfloat16"),
        ("free=lots", "between 0.1 and 10000"), ("vae_window=7", "between 128"), ("speed=1", "only precision"),
        ("offload", "NAME=VALUE"), ("compile=all", "compile to 'all', but it must be one of blocks"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_with_what_it_may_be(tmp_path, text, named):
    with pytest.raises(RequestError, match=named) as caught:
        read_wishes(tmp_path, {VARIABLE: text})
    assert VARIABLE in caught.value.message


@pytest.mark.parametrize("content", ["{", "[]", '{"memory": 3}', '{"memory": {"offload": 3}}'])
def test_a_wrong_settings_file_is_named(tmp_path, content):
    (tmp_path / SETTINGS).write_text(content)
    with pytest.raises(RequestError, match=str(tmp_path / SETTINGS)):
        read_wishes(tmp_path, {})


def test_the_device_that_a_worker_saw_is_known_without_torch(tmp_path):
    note_device(tmp_path, CARD)
    known = known_device(tmp_path)
    assert (known.kind, known.total, known.free, known.precision) == ("cuda", CARD.total, CARD.free, "float16")


@pytest.mark.parametrize(
    "content",
    [None, "{", '{"kind": "cuda"}', '{"kind": "tpu", "title": "x", "total": 1, "free": 1, "precision": "float16"}'],
)
def test_an_unknown_device_is_taken_for_the_processor(tmp_path, content):
    if content is not None:
        (tmp_path / "device.json").write_text(content)
    known = known_device(tmp_path)
    assert known.kind == "cpu" and known.total > 2**28 and known.precision == "float32"
