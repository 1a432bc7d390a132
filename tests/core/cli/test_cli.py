"""The command as a user runs it: a process of its own, its output, its exit code."""

import json
import os
import signal
import subprocess
import sys
import zipfile

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.core.models.tiny_upscalers import save_upscaler

from scumble_core.files.read import read_document, read_picture


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


def test_a_picture_can_be_generated_from_nothing(scumble, tmp_path):
    done = scumble("generate", "-o", "out.png", "--size", "96x64", "--steps", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["request"]["start"] == "empty"
    assert read_picture(tmp_path / "out.png").shape == (128, 192, 4)


@pytest.mark.parametrize("size", ["96", "4x4", "96x64x3", "5000x64"])
def test_a_size_that_can_not_be_is_named(scumble, size):
    done = scumble("generate", "-o", "out.png", "--size", size)
    assert done.returncode == 1 and f"--size is '{size}'" in done.stderr


def test_the_reference_nodes_own_options_and_presets(scumble, picture, tmp_path):
    done = scumble(
        "refine", picture, "-o", "out.png", "--preset", "mikey-advanced-base-only", "--upscale-by", "1.5",
        "--steps", "2",
        "--tiler-denoise", "0.5", "--denoise-image", "0.2", "--cfg", "3", "--scheduler", "karras", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    asked = json.loads(done.stdout)["summary"]["request"]
    assert (asked["scale"], asked["strength"], asked["schedule"]) == (1.5, 0.5, "karras")
    assert read_picture(tmp_path / "out.png").shape == (80, 120, 4)
    refused = scumble("refine", picture, "-o", "out.png", "--preset", "mikey", "--overlap", "64")
    assert refused.returncode == 1 and "overlap is 64, but the preset mikey has its own way" in refused.stderr


def test_maps_regions_and_kept_tiles(scumble, picture, tmp_path):
    mask = np.zeros((60, 80), np.uint8)
    mask[:, :40] = 255
    Image.fromarray(mask).save(tmp_path / "left.png")
    maps = ("--strength-map", "left.png", "--region", "left.png=a hand", "--steps", "2", "--work", "kept")
    done = scumble("refine", picture, "-o", "out.png", *maps)
    assert done.returncode == 0, done.stderr
    tiles = set((tmp_path / "kept" / "tiles").iterdir())
    assert len(tiles) == 2  # the upscaler's, and the refined one
    scumble("refine", picture, "-o", "again.png", *maps)
    assert (read_picture(tmp_path / "again.png") == read_picture(tmp_path / "out.png")).all()
    assert set((tmp_path / "kept" / "tiles").iterdir()) == tiles
    scumble("refine", picture, "-o", "redone.png", *maps, "--redo-tile", "0,0=9")
    assert len(list((tmp_path / "kept" / "tiles").iterdir())) == 3
    assert (read_picture(tmp_path / "redone.png") != read_picture(tmp_path / "out.png")).any()


def test_a_restorer_and_a_chain_can_be_asked_for_and_planned(scumble, picture, tmp_path):
    save_upscaler("compact-x1", tmp_path / "clean.pth")
    save_upscaler("compact-x2", tmp_path / "2x.safetensors")
    wanted = ("--restore", "clean.pth", "--upscaler", "2x.safetensors+2x.safetensors", "--scale", "4", "--steps", "1")
    planned = scumble("plan", picture, *wanted, "--json")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["memory_plan"]["needed"] > 0
    done = scumble("refine", picture, "-o", "out.png", *wanted, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)["summary"]
    assert [step["factor"] for step in summary["stages"]["upscale"]["chain"]] == [2, 2]
    assert summary["models"]["restore"] == "clean.pth"
    assert read_picture(tmp_path / "out.png").shape == (240, 320, 4)


def test_a_selection_that_reproduces_has_the_pixels_of_the_whole_run(scumble, picture, tmp_path):
    whole = scumble("refine", picture, "-o", "whole.png", "--steps", "2")
    assert whole.returncode == 0, whole.stderr
    part = ("--box", "20,10,30,30", "--reproduce", "--soft-edge", "0", "--steps", "2")
    assert scumble("refine", picture, "-o", "part.png", *part).returncode == 0
    colours = [read_picture(tmp_path / f"{name}.png")[..., :3] for name in ("part", "whole")]
    assert (colours[0] == colours[1][20:80, 40:100]).all()


def test_the_profile_of_a_wide_gamut_picture_comes_back(scumble, picture, tmp_path):
    profile = bytes(imagecodecs.cms_profile("adobergb"))
    with Image.open(picture) as image:
        image.save(tmp_path / "wide.png", icc_profile=profile)
    assert scumble("refine", "wide.png", "-o", "out.png", "--strength", "0", "--scale", "1").returncode == 0
    before, after = read_document(tmp_path / "wide.png"), read_document(tmp_path / "out.png")
    assert after.profile == before.profile == profile
    assert np.abs(after.pixels.astype(int) - before.pixels).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--region", "nothing"], "MASK.png=PROMPT"),
        (["--redo-tile", "1=2"], "X,Y=SEED"),
        (["--context", "-1", "--box", "1,1,5,5"], "--context is -1"),
        (["--strength-map", "small.png"], "The mask small.png is 3 x 3"),
        (["--preset", "nosuch"], "preset is 'nosuch'"),
    ],
)
def test_what_is_wrong_with_an_option_is_said(scumble, picture, tmp_path, arguments, said):
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tmp_path / "small.png")
    done = scumble("refine", picture, "-o", "out.png", *arguments)
    assert done.returncode == 1 and said in done.stderr
