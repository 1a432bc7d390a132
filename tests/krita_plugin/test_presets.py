import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.krita_plugin.strategies import settings

from scumble.presets import (
    MOST_BYTES,
    MOST_NAME,
    PARTS,
    Preset,
    PresetError,
    PresetFolder,
    from_text,
    part_of,
    read,
    shipped,
    to_text,
)
from scumble.settings import Settings
from scumble_core.request import RefineRequest

parts = st.frozensets(st.sampled_from(tuple(PARTS)), min_size=1)


@pytest.fixture
def folder(tmp_path):
    return PresetFolder(tmp_path / "presets")


@given(settings, settings, parts)
def test_a_preset_changes_what_it_holds_and_leaves_the_rest(one, other, chosen):
    preset = from_text(to_text(Preset("Mine", part_of(one, chosen))), "mine.json")
    changed = preset.apply(other)
    for part, names in PARTS.items():
        source = one if part in chosen else other
        assert all(getattr(changed, name) == getattr(source, name) for name in names)
    assert changed.layer == other.layer
    assert preset.fits(changed)


@pytest.mark.parametrize("preset", shipped(), ids=lambda preset: preset.name)
def test_the_core_takes_every_shipped_preset_and_every_part_of_it_was_read(preset):
    RefineRequest.from_dict(preset.apply(Settings()).request(0, 0))
    assert set(PARTS["look"]) | {"styles"} == set(preset.values)
    assert not preset.is_own


def test_every_shipped_file_has_a_title_and_shipped_presets_differ():
    from scumble import presets

    folder = presets.Path(presets.__file__).parent / "shipped"
    assert len(list(folder.glob("*.json"))) == len(shipped())
    assert len({preset.apply(Settings()) for preset in shipped()}) == len(shipped())
    assert [preset.name for preset in shipped() if preset.fits(Settings())] == ["Standard"]


def test_saved_renamed_and_deleted(folder):
    folder.save("Night  sky\n", {"strength": 0.5})
    assert folder.find("night sky").values == {"strength": 0.5}
    folder.save("NIGHT SKY", {"strength": 0.75})
    assert [preset.name for preset in folder.all() if preset.is_own] == ["NIGHT SKY"]
    folder.rename("NIGHT SKY", "Night sky")
    folder.rename("Night sky", "Dawn")
    assert folder.find("Night sky") is None
    assert folder.find("Dawn").values == {"strength": 0.75}
    folder.delete("Dawn")
    assert folder.all() == shipped()


def test_names_of_any_letters_get_files_of_plain_letters(folder, tmp_path):
    names = ["夜空", "Žluť", "../../up", "CON", "a/b", "a:b", "😀", "x" * 500]
    for name in names:
        folder.save(name, {"scale": 3.0})
    own = [preset for preset in folder.all() if preset.is_own]
    assert {preset.name for preset in own} == {name[:MOST_NAME] for name in names}
    assert {file.parent for file in tmp_path.rglob("*.json")} == {tmp_path / "presets"}
    assert all(file.name.isascii() for file in tmp_path.rglob("*.json"))


def test_a_preset_goes_to_another_artist_and_comes_in_beside_one_of_its_name(folder, tmp_path):
    folder.save("Night", {"strength": 0.5})
    folder.give_out("Night", tmp_path / "night.json")
    other = PresetFolder(tmp_path / "theirs")
    assert other.take_in(tmp_path / "night.json").name == "Night"
    assert other.take_in(tmp_path / "night.json").name == "Night 2"
    assert other.find("Night 2").values == {"strength": 0.5}
    folder.give_out("Gentle", tmp_path / "gentle.json")
    assert other.take_in(tmp_path / "gentle.json").name == "Gentle 2"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no preset of Scumble's"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "no preset of Scumble's"),
        (b"[" * 100_000, "no preset of Scumble's"),
        (b"[1, 2]", "no preset of Scumble's"),
        (b"{}", "no preset of Scumble's"),
        (b'{"scumble_preset": 2}', "newer Scumble"),
        (b'{"scumble_preset": 1, "name": 3, "settings": {}}', "damaged"),
        (b'{"scumble_preset": 1, "name": "\\n", "settings": {"scale": 2}}', "damaged"),
        (b'{"scumble_preset": 1, "name": "a", "settings": {"scale": "big", "colour": 1}}', "no setting"),
        (b" " * (MOST_BYTES + 1), "too large"),
    ],
)
def test_a_foreign_file_is_refused_in_one_sentence(folder, tmp_path, content, words):
    file = tmp_path / "strange.json"
    file.write_bytes(content)
    with pytest.raises(PresetError, match=words) as error:
        folder.take_in(file)
    assert "strange.json" in str(error.value)
    assert "\n" not in str(error.value)
    assert folder.all() == shipped()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
fields = st.dictionaries(st.sampled_from([name for names in PARTS.values() for name in names]), anything)


@given(st.fixed_dictionaries({"scumble_preset": st.just(1), "name": st.text(), "settings": fields}))
def test_no_file_crashes(content):
    try:
        preset = from_text(json.dumps(content), "it")
    except PresetError:
        return
    RefineRequest.from_dict(preset.apply(Settings()).request(0, 0))


def test_damaged_values_in_a_good_file_are_left_out(tmp_path):
    file = tmp_path / "a.json"
    file.write_text('{"scumble_preset": 1, "name": "a", "settings": {"scale": 3, "strength": 7, "layer": "{1}"}}')
    assert read(file).values == {"scale": 3.0}


def test_what_can_not_be_done_is_said(folder, tmp_path):
    for act, words in [
        (lambda: folder.save(" \n", {}), "no name"),
        (lambda: folder.save("gentle", {"scale": 2.0}), "comes with Scumble"),
        (lambda: folder.delete("Gentle"), "no preset"),
        (lambda: folder.rename("Nothing", "Other"), "no preset"),
        (lambda: folder.take_in(tmp_path / "none.json"), "can’t be read"),
        (lambda: folder.give_out("Gentle", tmp_path / "no" / "where.json"), "can’t be written"),
    ]:
        with pytest.raises(PresetError, match=words):
            act()
    folder.save("One", {"scale": 2.0})
    folder.save("Two", {"scale": 2.0})
    with pytest.raises(PresetError, match="already"):
        folder.rename("One", "TWO")


def test_a_write_that_fails_leaves_what_was_there_and_no_traces(folder, tmp_path, monkeypatch):
    folder.save("One", {"scale": 2.0})

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PresetError, match="No space left"):
        folder.save("One", {"scale": 9.0})
    assert folder.find("One").values == {"scale": 2.0}
    assert [file.name for file in (tmp_path / "presets").iterdir()] == ["preset-one.json"]
