"""The command as a user runs it: a process of its own, its output, its exit code."""

import json
import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image

from scumble_core.files.read import read_picture


@pytest.fixture
def scumble(tmp_path):
    def run(*arguments, **environment):
        env = {**os.environ, "SCUMBLE_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path), **environment}
        command = [sys.executable, "-m", "scumble_core", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=300)

    return run


@pytest.fixture
def picture(tmp_path):
    y, x = np.mgrid[0:60, 0:80]
    pixels = np.stack([x * 3, y * 4, (x + y) * 1.5], axis=2).astype(np.uint8)
    path = tmp_path / "in.png"
    Image.fromarray(pixels).save(path)
    return path


def test_refine_writes_both_layers_and_says_where(scumble, picture, tmp_path):
    done = scumble("refine", picture, "-o", "out.ora", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "out.ora") in done.stderr.replace("\n", "")
    with zipfile.ZipFile(tmp_path / "out.ora") as archive:
        stack = archive.read("stack.xml").decode()
        assert stack.index("Refined 2x, strength 0.25") < stack.index("Upscaled 2x")
        assert json.loads(archive.read("scumble.json"))["request"]["seed"] == 3
    assert read_picture(tmp_path / "out.ora").shape == (120, 160, 4)


def test_json_is_one_object_on_stdout(scumble, picture, tmp_path):
    done = scumble("refine", picture, "-o", "out.png", "--scale", "1", "--json")
    report = json.loads(done.stdout)
    assert (report["width"], report["height"]) == (80, 60)
    assert report["output"] == str(tmp_path / "out.png")
    assert report["summary"]["models"]["base"] == "starter"


def test_a_box_kept_at_size_changes_nothing_outside_of_it(scumble, picture, tmp_path):
    done = scumble("refine", picture, "-o", "out.ora", "--box", "20,10,30,30", "--keep-size")
    assert done.returncode == 0, done.stderr
    before, after = read_picture(picture), read_picture(tmp_path / "out.ora")
    inside = np.zeros(before.shape[:2], bool)
    inside[10:40, 20:50] = True
    assert (before[~inside] == after[~inside]).all()
    assert (before[inside] != after[inside]).any()


def test_plan_loads_no_model(scumble, picture):
    done = scumble("plan", picture, "--json")
    plan = json.loads(done.stdout)
    assert plan["output"] == [160, 120]
    assert plan["stages"]["tiles"]["tiles"] == 1
    assert scumble("plan", picture).stdout.startswith("80 x 60 -> 160 x 120 pixels")


def test_plan_does_not_import_torch(scumble, picture, tmp_path):
    (tmp_path / "torch.py").write_text("raise RuntimeError('torch was imported')")
    done = scumble("plan", picture, PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.png", "-o", "out.png"], "There is no file"),
        (["in.png", "-o", "no/out.png"], "does not exist"),
        (["in.png", "-o", "out.gif"], "Scumble writes"),
        (["in.png", "-o", "out.png", "--scale", "20"], "scale is 20"),
        (["in.png", "-o", "out.png", "--strength", "nan"], "strength is nan"),
        (["in.png", "-o", "out.png", "--model", "nosuch"], "no model named 'nosuch'"),
        (["in.png", "-o", "out.png", "--box", "900,900,5,5"], "outside the picture"),
        (["in.png", "-o", "out.png", "--mask", "black.png"], "No pixels are selected"),
        (["in.png", "-o", "out.png", "--upscaler", "evil.pth"], "could run code"),
        (["nan.tif", "-o", "out.png"], "no number (NaN or infinite) at 3, 2"),
    ],
)
def test_bad_input_is_one_sentence_and_a_non_zero_exit(scumble, picture, tmp_path, arguments, said):
    Image.new("L", (80, 60)).save(tmp_path / "black.png")
    floats = np.zeros((8, 8, 3), np.float32)
    floats[2, 3] = np.nan
    tifffile.imwrite(tmp_path / "nan.tif", floats, photometric="rgb")
    (tmp_path / "evil.pth").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    done = scumble("refine", *arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.png").exists()
    assert not (tmp_path / "ran").exists()


def test_doctor_lists_what_is_here(scumble):
    done = scumble("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "starter-x2" in done.stdout
    assert "scumble krita install" in done.stdout


def test_krita_install_and_uninstall_leave_other_settings_alone(scumble, tmp_path):
    config, data = tmp_path / "config", tmp_path / "share"
    config.mkdir()
    (config / "kritarc").write_text("[theme]\nTheme=Krita dark\n\n[python]\nenable_other=true\n")
    places = {"XDG_CONFIG_HOME": str(config), "XDG_DATA_HOME": str(data)}
    assert scumble("krita", "install", **places).returncode == 0
    plugin = data / "krita/pykrita/scumble"
    assert (plugin / "__init__.py").exists()
    assert (plugin / "_bundled/scumble_bridge/connection.py").exists()
    assert (data / "krita/pykrita/scumble.desktop").exists()
    assert "enable_scumble=true" in (config / "kritarc").read_text()
    command = json.loads((tmp_path / "data/core.json").read_text())["command"]
    assert command[0] == sys.executable
    assert scumble("krita", "install", **places).returncode == 0  # again: an update
    assert scumble("krita", "uninstall", **places).returncode == 0
    assert not plugin.exists()
    assert (config / "kritarc").read_text() == "[theme]\nTheme=Krita dark\n\n[python]\nenable_other=true\n"
    assert "Nothing was installed" in scumble("krita", "uninstall", **places).stdout


def test_krita_zip_is_what_kritas_importer_wants(scumble, tmp_path):
    assert scumble("krita", "zip", "plugin.zip").returncode == 0
    with zipfile.ZipFile(tmp_path / "plugin.zip") as archive:
        names = archive.namelist()
        assert "scumble/" in names  # Krita 5 looks for the folder's own entry
        assert "scumble.desktop" in names
        assert "scumble/__init__.py" in names
        assert not [name for name in names if "__pycache__" in name]
        manifest = archive.read("scumble.desktop").decode()
        assert "X-KDE-Library=scumble" in manifest


def test_ctrl_c_writes_nothing_and_says_so(scumble, picture, tmp_path):
    """A big job, stopped in the middle as a terminal stops it."""
    Image.new("RGB", (1200, 900), (90, 120, 150)).save(tmp_path / "big.png")
    command = [sys.executable, "-m", "scumble_core", "refine", "big.png", "-o", "out.ora"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    said = ""
    while "Refining" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "nothing was written" in rest
    assert not (tmp_path / "out.ora").exists()
