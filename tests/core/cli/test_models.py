"""`scumble models` as a user runs it."""

import json
import os
import subprocess
import sys
import threading

import pytest
from tests.core.models.detect.layouts import checkpoint, kohya, write
from tests.core.models.test_pull import BIG, Hub

LORA = kohya({"lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k": (2048, 640)})


@pytest.fixture
def scumble(tmp_path):
    def run(*arguments, said="", **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_", "SCUMBLE_"))}
        env = {**kept, "SCUMBLE_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path / "home"), **environment}
        command = [sys.executable, "-m", "scumble_core", "models", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=120, input=said)

    return run


def test_without_models_the_list_says_what_to_do(scumble):
    done = scumble("list")
    assert done.returncode == 0 and "scumble models add FOLDER" in done.stdout


def test_the_list_says_what_is_found_and_from_where(scumble, tmp_path):
    write(tmp_path / "data/models/style.safetensors", LORA)
    write(tmp_path / "home/ComfyUI/models/checkpoints/dreamy.safetensors", checkpoint("sdxl"))
    (tmp_path / "data/models/evil.ckpt").write_bytes(b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.")
    lines = scumble("list").stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:3]] == [["dreamy", "base", "SDXL"], ["style", "lora", "SDXL"]]
    assert lines[1].split()[-1] == "comfyui" and "1 files can't be used" in lines[-1]
    assert "could run code" in scumble("list", "--kind", "broken").stdout
    rows = json.loads(scumble("list", "--kind", "lora", "--json").stdout)
    assert [(row["title"], row["family"], row["detail"]["rank"]) for row in rows] == [("style", "sdxl", 16)]


def test_a_kind_that_there_is_not_is_refused(scumble):
    done = scumble("list", "--kind", "toaster")
    assert done.returncode == 1 and "--kind is 'toaster'" in done.stderr


def test_info_tells_all_of_one_by_name_or_path(scumble, tmp_path):
    path = write(tmp_path / "elsewhere/style.safetensors", LORA, {"modelspec.trigger_phrase": "in my style"})
    said = scumble("info", path).stdout
    assert "family: sdxl" in said and "trigger: in my style" in said and "layout: kohya" in said
    assert scumble("info", "style").returncode == 1
    scumble("add", tmp_path / "elsewhere")
    assert json.loads(scumble("info", "style", "--json").stdout)["path"] == str(path)


def test_folders_are_added_and_removed_and_stay_as_they_are(scumble, tmp_path):
    path = write(tmp_path / "mine/style.safetensors", LORA)
    assert "1 models are there" in scumble("add", "mine").stdout
    assert str(tmp_path / "mine") in scumble("list").stdout
    assert scumble("remove", "mine").returncode == 0 and path.exists()
    assert "style" not in scumble("list").stdout
    done = scumble("remove", "mine")
    assert done.returncode == 1 and "no folder that was added" in done.stderr


def test_verify_reads_all_and_finds_what_has_rotted(scumble, tmp_path):
    path = write(tmp_path / "data/models/style.safetensors", LORA)
    done = scumble("verify")
    assert done.returncode == 0 and "1 models read, 0 problems" in done.stdout
    stat = path.stat()
    with path.open("r+b") as file:
        file.seek(-10, 2)
        file.write(b"\xff")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    done = scumble("verify", "style")
    assert done.returncode == 1 and "is not what it was" in done.stdout


@pytest.fixture
def hub(tmp_path):
    path = write(tmp_path / "remote.safetensors", {**LORA, "more": (100, 100)})
    server = Hub({"artist/style": {"style.safetensors": path.read_bytes()}, "artist/junk": {"x.safetensors": BIG}})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_pull_shows_the_size_and_asks(scumble, tmp_path, hub):
    done = scumble("pull", "artist/style", said="n\n", HF_ENDPOINT=hub.url)
    assert done.returncode == 1 and "1 files, 0.1 MB" in done.stdout and "Fetch 0.1 MB into" in done.stderr
    assert not (tmp_path / "data/models/pulled").exists()
    done = scumble("pull", "artist/style", said="y\n", HF_ENDPOINT=hub.url)
    assert done.returncode == 0 and "style.safetensors is lora: SDXL" in done.stdout.replace("\n", " ")
    assert "style" in scumble("list").stdout
    assert scumble("verify").returncode == 0


def test_what_is_pulled_and_no_model_is_said(scumble, hub):
    done = scumble("pull", "artist/junk", "--yes", HF_ENDPOINT=hub.url)
    assert done.returncode == 1 and "can't be read as a model" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_core_offers_what_is_found(tmp_path, scumble):
    write(tmp_path / "data/models/dreamy.safetensors", checkpoint("sdxl"))
    command = [sys.executable, "-m", "scumble_core", "doctor"]
    env = {**os.environ, "SCUMBLE_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path / "home")}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    assert "dreamy (SDXL)" in done.stdout
