"""The index: nothing is looked into twice, nothing goes stale, and keys of finished work stay."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time

import psutil
import pytest
import torch
from tests.core.models.detect.layouts import LDM_VAE, checkpoint, kohya, write

from scumble_core.models import index as index_module
from scumble_core.models.background import bring_up_to_date, content_hash, to_ask, to_hash
from scumble_core.models.finding import Place
from scumble_core.models.index import NAME, ModelIndex, Refreshed, read_entries
from scumble_core.models.starter.places import upscaler_path

LORA = kohya({"lora_unet_double_blocks_0_img_attn_qkv": (3072, 9216)})


@pytest.fixture
def models(tmp_path, bare_home):
    """A models folder, and a home with nothing else in it."""
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def index(models):
    with ModelIndex.open(models) as opened:
        yield opened


@pytest.fixture
def detected(monkeypatch):
    """The paths that detection was asked about."""
    asked, real = [], index_module.detect

    def detect(path):
        asked.append(path)
        return real(path)

    monkeypatch.setattr(index_module, "detect", detect)
    return asked


def refreshed(index, models):
    return index.refresh([Place(models, "scumble")])


def test_a_thousand_files_are_looked_into_once(index, models, detected):
    for number in range(1000):
        write(models / f"{number % 20}" / f"{number}.safetensors", LORA)
    assert refreshed(index, models) == Refreshed(1000, 0, 0, 0)
    detected.clear()
    assert refreshed(index, models) == Refreshed(0, 1000, 0, 0)
    assert detected == [] and len(index.entries()) == 1000
    assert {entry.found.family for entry in index.entries()} == {"flux"}


def test_only_what_has_changed_is_looked_into_again(index, models, detected):
    write(models / "a.safetensors", LORA)
    write(models / "b.safetensors", LORA)
    refreshed(index, models)
    detected.clear()
    write(models / "b.safetensors", checkpoint("sd15"))
    (models / "a.safetensors").rename(models / "c.safetensors")
    assert refreshed(index, models) == Refreshed(2, 0, 1, 0)
    assert sorted(path.name for path in detected) == ["b.safetensors", "c.safetensors"]
    assert {entry.found.title: entry.found.kind for entry in index.entries()} == {"b": "base", "c": "lora"}


def test_a_new_detection_looks_at_all_again_and_keeps_hashes(index, models, monkeypatch):
    write(models / "a.safetensors", LORA)
    refreshed(index, models)
    index.note_hash(index.entries()[0], "abc")
    monkeypatch.setattr(index_module, "DETECTION", index_module.DETECTION + 1)
    assert refreshed(index, models).detected == 1
    assert index.entries()[0].hash == "abc"


def test_a_first_look_may_be_cut_short_and_goes_on_later(index, models):
    for number in range(5):
        write(models / f"{number}.safetensors", LORA)
    first = index.refresh([Place(models, "scumble")], seconds=-1.0)
    assert first == Refreshed(0, 0, 0, 5) and index.entries() == []
    assert refreshed(index, models).detected == 5


def test_a_drive_that_comes_back_needs_no_second_look(index, models, tmp_path):
    drive = tmp_path / "drive"
    write(drive / "a.safetensors", LORA)
    index.refresh([Place(drive, "added")])
    index.note_hash(index.entries()[0], "abc")
    drive.rename(tmp_path / "unplugged")
    assert index.refresh([]) == Refreshed(0, 0, 1, 0) and index.entries() == []
    (tmp_path / "unplugged").rename(drive)
    assert index.refresh([Place(drive, "added")]).detected == 0
    assert index.entries()[0].hash == "abc"


def test_a_look_at_some_places_forgets_nothing_elsewhere(index, models, tmp_path):
    write(tmp_path / "elsewhere/a.safetensors", LORA)
    write(models / "b.safetensors", LORA)
    index.refresh([Place(tmp_path / "elsewhere", "added"), Place(models, "scumble")])
    (models / "b.safetensors").unlink()
    index.refresh([Place(models, "scumble")], only=True)
    assert [entry.found.title for entry in index.entries()] == ["a"]


def test_what_is_wrong_with_a_file_is_kept_and_hides_no_other(index, models):
    write(models / "good.safetensors", LORA)
    (models / "cut.safetensors").write_bytes((models / "good.safetensors").read_bytes()[:50])
    (models / "evil.ckpt").write_bytes(b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.")
    refreshed(index, models)
    problems = {entry.path.rsplit("/", 1)[1]: entry.problem for entry in index.entries()}
    assert problems["good.safetensors"] == "" and "cut off" in problems["cut.safetensors"]
    assert "could run code" in problems["evil.ckpt"]


def test_a_detection_that_fails_unforeseen_hides_no_other(index, models, monkeypatch):
    write(models / "a.safetensors", LORA)
    monkeypatch.setattr(index_module, "detect", lambda path: 1 // 0)
    refreshed(index, models)
    assert "can't be understood (ZeroDivisionError)" in index.entries()[0].problem


@pytest.mark.parametrize("damage", [b"", b"no database at all, but as long as a header of one would be" * 20])
def test_a_damaged_index_is_made_anew(models, damage):
    write(models / "a.safetensors", LORA)
    (models / NAME).write_bytes(damage)
    with ModelIndex.open(models) as index:
        assert refreshed(index, models).detected == 1
    assert len(read_entries(models)) == 1


def test_an_index_of_another_version_is_made_anew(models):
    with sqlite3.connect(models / NAME) as old:
        old.execute("CREATE TABLE models (name TEXT)")
        old.execute("PRAGMA user_version = 99")
    with ModelIndex.open(models) as index:
        assert index.entries() == []


def test_two_processes_may_use_it_at_once(models):
    write(models / "a.safetensors", LORA)
    with ModelIndex.open(models) as one, ModelIndex.open(models) as other:
        refreshed(one, models)
        refreshed(other, models)
        assert len(one.entries()) == len(other.entries()) == 1


def test_the_first_identity_stays_though_a_hash_becomes_known(index, models):
    path = write(models / "a.safetensors", LORA)
    assert index.identity(path, "by stat") == "by stat"
    index.note_hash(index.look(path), "abc")
    assert index.identity(path, "by stat, later") == "by stat"
    os.utime(path, ns=(1, 1))
    assert index.identity(path, "by stat, again") == "by stat, again"


def test_a_hash_that_is_known_is_the_identity(index, models):
    path = write(models / "a.safetensors", LORA)
    index.note_hash(index.look(path), "abc")
    assert index.identity(path, "by stat") == "sha256 abc"
    assert index.identity(models / "gone.safetensors", "by stat") == "by stat"


def test_a_hash_of_what_has_changed_meanwhile_is_not_kept(index, models):
    path = write(models / "a.safetensors", LORA)
    entry = index.look(path)
    write(path, checkpoint("sd15"))
    index.note_hash(entry, "abc")
    assert index.look(path).hash == ""


def test_hashes_are_of_the_whole_content(tmp_path):
    (tmp_path / "x.pth").write_bytes(b"weights")
    assert content_hash(tmp_path / "x.pth") == hashlib.sha256(b"weights").hexdigest()
    for name in ("one", "two"):
        write(tmp_path / name / "unet/diffusion_pytorch_model.safetensors", {"a": (3, 3)})
        (tmp_path / name / "model_index.json").write_text("{}")
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "two")
    (tmp_path / "two/model_index.json").write_text('{"a": 1}')
    assert content_hash(tmp_path / "one") != content_hash(tmp_path / "two")


def test_the_background_asks_and_hashes_and_goes_on_where_it_was(models):
    write(models / "big.safetensors", {"emb_params": (8, 768)})
    shutil.copy(upscaler_path(2), models / "sharp.safetensors")
    torch.save({"no.network": torch.zeros(2, 2)}, models / "odd.pth")
    calls = iter([False, False, False, False, True])  # stopped after both were asked and one was hashed
    bring_up_to_date(models, lambda: next(calls, True))
    entries = read_entries(models)
    assert to_ask(entries) == [] and [entry.path for entry in to_hash(entries)] == [str(models / "sharp.safetensors")]
    bring_up_to_date(models)
    known = {entry.found.title: entry for entry in read_entries(models)}
    assert known["sharp"].found.detail["scale"] == 2 and known["sharp"].hash == content_hash(upscaler_path(2))
    assert known["odd"].asked and known["odd"].found.kind == "unknown" and not known["odd"].hash


def test_the_background_is_a_process_that_leaves_alone_what_another_does(models):
    from scumble_core.jobs.locks import held
    from scumble_core.models.background import LOCK
    from scumble_core.models.indexing import COMMAND

    write(models / "a.safetensors", {"emb_params": (8, 768)})
    with held(models / LOCK):
        subprocess.run([*COMMAND, str(models)], check=True, timeout=60)
        assert read_entries(models) == []
    subprocess.run([*COMMAND, str(models)], check=True, timeout=60)
    assert read_entries(models)[0].hash == content_hash(models / "a.safetensors")


def test_the_background_ends_when_who_started_it_is_gone(models):
    # Sparse: it costs nothing but the time to read it, which is minutes.
    write(models / "endless.safetensors", {**LDM_VAE, "decoder.conv_in.weight": (4_000_000_000, 4, 3, 3)})
    code = (
        "import sys; from pathlib import Path; from scumble_core.models.indexing import start\n"
        f"print(start(Path({str(models)!r})).pid)"
    )
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    pid = int(started.stdout)
    end = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert [entry.hash for entry in read_entries(models)] == [""]


def test_finding_and_listing_need_no_torch(models):
    write(models / "a.safetensors", checkpoint("sdxl"))
    torch.save({"a": torch.zeros(1)}, models / "b.ckpt")
    code = (
        "import sys; from pathlib import Path; from scumble_core.models.library import choices\n"
        f"found = choices(Path({str(models)!r})); print(len(found.bases), 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == "2 False"


def test_an_index_of_the_version_before_keeps_what_finished_work_goes_by(models):
    """Identities name finished tiles: one that changed would throw them away."""
    path = write(models / "style.safetensors", LORA)
    with ModelIndex.open(models) as index:
        index.refresh([Place(models, "scumble")])
        before = index.identity(path, "first")
    with sqlite3.connect(models / NAME) as connection:
        connection.execute("ALTER TABLE models DROP COLUMN used")
        connection.execute("PRAGMA user_version = 1")
    with ModelIndex.open(models) as index:
        assert index.entry(path).used == 0
        assert index.identity(path, "second") == before == "first"
        assert index.entry(path).used > 0


def test_a_newer_detection_looks_anew_and_keeps_hashes_and_identities(index, models, detected, monkeypatch):
    path = write(models / "style.safetensors", LORA)
    refreshed(index, models)
    index.note_hash(index.entry(path), "1234")
    index.note_found(index.entry(path), None)
    before = index.identity(path, "otherwise")
    monkeypatch.setattr(index_module, "DETECTION", index_module.DETECTION + 1)
    assert refreshed(index, models).detected == 1 and len(detected) == 2
    entry = index.entry(path)
    assert (entry.hash, entry.asked) == ("1234", False) and index.identity(path, "again") == before == "sha256 1234"
