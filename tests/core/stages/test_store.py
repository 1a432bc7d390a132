"""Finished tiles: found again by all that determines them, whole or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from scumble_core.errors import ScumbleError
from scumble_core.stages.store import TileStore, task_key

SETTINGS = {"seed": 1, "place": [0, 16], "walk": ["x"], "models": ["a", "b"]}
TILES = arrays(np.float32, array_shapes(min_dims=1, max_dims=3, max_side=5), elements=st.floats(-9, 9, width=32))


@pytest.mark.parametrize(
    "changed",
    [{"seed": 2}, {"place": [16, 0]}, {"walk": []}, {"models": ["b", "a"]}, {"more": None}, {"seed": "1"}],
)
def test_another_setting_is_another_task(changed):
    assert task_key({**SETTINGS, **changed}) != task_key(SETTINGS)


def test_the_order_of_settings_says_nothing():
    assert task_key(dict(reversed(SETTINGS.items()))) == task_key(SETTINGS)


@given(TILES, st.data())
def test_one_other_value_is_another_task(tile, data):
    other = tile.copy()
    place = data.draw(st.integers(0, tile.size - 1))
    other.flat[place] = np.nextafter(other.flat[place], np.float32(10))
    assert task_key(SETTINGS, other) != task_key(SETTINGS, tile)
    assert task_key(SETTINGS, tile.copy()) == task_key(SETTINGS, tile)


def test_type_form_number_and_order_of_arrays_count():
    one, two = np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)
    forms = [
        (one,), (one.reshape(3, 2),), (one.reshape(6),), (one.astype(np.float64),), (one.view(np.int32),), (one, two),
        (two, one), (one, one), (),
    ]  # fmt: skip
    assert len({task_key(SETTINGS, *arrays) for arrays in forms}) == len(forms)


def test_how_an_array_lies_in_memory_does_not_count():
    tile = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert task_key(SETTINGS, tile.transpose(2, 0, 1)) == task_key(SETTINGS, tile.transpose(2, 0, 1).copy())


@given(TILES)
def test_what_is_put_comes_back_to_the_bit(tmp_path_factory, tile):
    store = TileStore(tmp_path_factory.mktemp("store") / "new" / "tiles")
    assert "key" not in store
    store.put("key", tile.T)
    assert "key" in store and "other" not in store
    back = store.get("key")
    assert back.dtype == np.float32 and back.shape == tile.T.shape and (back == tile.T).all()


def test_another_store_in_the_same_folder_finds_them(tmp_path):
    TileStore(tmp_path).put("key", np.ones((2, 2), np.float32))
    assert (TileStore(tmp_path).get("key") == 1).all()


def test_putting_again_replaces(tmp_path):
    store = TileStore(tmp_path)
    store.put("key", np.ones((2, 2), np.float32))
    store.put("key", np.zeros((3, 1), np.float32))
    assert store.get("key").shape == (3, 1) and [path.name for path in tmp_path.iterdir()] == ["key.npy"]


def test_a_crash_before_a_tile_is_whole_leaves_nothing_that_counts_as_one(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def die(self, target):
        raise Killed

    store = TileStore(tmp_path)
    with monkeypatch.context() as at_the_end:
        at_the_end.setattr(Path, "replace", die)
        with pytest.raises(Killed):
            store.put("key", np.ones((2, 2), np.float32))
    assert "key" not in TileStore(tmp_path) and not list(tmp_path.glob("*.npy"))
    store.put("key", np.ones((2, 2), np.float32))
    assert (store.get("key") == 1).all() and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no disk that is always full")
@pytest.mark.parametrize("side", [4, 600])
def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing(tmp_path, side):
    (tmp_path / f"key.{os.getpid()}.part").symlink_to("/dev/full")
    store = TileStore(tmp_path)
    with pytest.raises(ScumbleError, match=r"The disk is full at .*: free some room there and try again") as caught:
        store.put("key", np.ones((side, side, 3), np.float32))
    assert caught.value.code == "disk_full"
    assert not list(tmp_path.iterdir())


@given(TILES, st.data())
def test_a_tile_with_one_wrong_bit_or_a_missing_end_is_noticed_and_removed(tmp_path_factory, tile, data):
    folder = tmp_path_factory.mktemp("store")
    TileStore(folder).put("key", tile)
    TileStore(folder).put("other", tile)
    path = folder / "key.npy"
    whole = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        bit = data.draw(st.integers(0, 8 * len(whole) - 1))
        whole[bit // 8] ^= 1 << bit % 8
        path.write_bytes(whole)
    else:
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ScumbleError, match=r"key\.npy is damaged"):
        TileStore(folder).get("key")
    assert "key" not in TileStore(folder) and "other" in TileStore(folder)
    assert [each.name for each in folder.iterdir()] == ["other.npy"]


def test_a_tile_under_a_wrong_name_is_none(tmp_path):
    TileStore(tmp_path).put("key", np.ones((2, 2), np.float32))
    (tmp_path / "key.npy").rename(tmp_path / "other.npy")
    assert "other" not in TileStore(tmp_path)


def test_what_a_process_that_died_left_half_written_is_swept_away(tmp_path):
    (tmp_path / "key.1.part").write_bytes(b"half")
    assert "key" not in TileStore(tmp_path) and not list(tmp_path.iterdir())
