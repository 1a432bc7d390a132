"""The places where other programs keep models, laid out as those programs do."""

import json
import sqlite3

import pytest
from tests.core.models.detect.layouts import write

from scumble_core.errors import ScumbleError
from scumble_core.models.finding import add_folder, added_folders, all_places, candidates, remove_folder

SMALL = {"a": (2, 2)}


@pytest.fixture
def found(tmp_path):
    """What is found from a home folder and an environment: {path below tmp_path: (program, kind)}."""

    def look(environment=None, platform="linux"):
        places = all_places(tmp_path / "data" / "models", environment or {}, tmp_path / "home", platform)
        models = [candidate for place in places for candidate in candidates(place)]
        return {
            str(each.path.relative_to(tmp_path)): (each.place.program, each.place.holds) for each in reversed(models)
        }

    return look


def test_our_own_folder_is_looked_through(found, tmp_path):
    write(tmp_path / "data/models/mine.safetensors", SMALL)
    write(tmp_path / "data/models/deep/er/other.safetensors", SMALL)
    write(tmp_path / "data/models/upscalers/sharp.safetensors", SMALL)
    assert found() == {
        "data/models/mine.safetensors": ("scumble", "unknown"),
        "data/models/deep/er/other.safetensors": ("scumble", "unknown"),
        "data/models/upscalers/sharp.safetensors": ("scumble", "upscaler"),
    }


@pytest.mark.parametrize("root", ["home/ComfyUI", "home/Documents/ComfyUI", "elsewhere/comfy"])
def test_comfyui_is_found_with_its_extra_paths(found, tmp_path, root):
    comfy = tmp_path / root
    kinds = {
        "checkpoints": "base", "loras": "lora", "vae": "vae", "controlnet": "controlnet", "embeddings": "embedding",
        "upscale_models": "upscaler", "diffusion_models": "transformer", "text_encoders": "text_encoder",
    }  # fmt: skip
    for name in kinds:
        write(comfy / "models" / name / "sub" / "x.safetensors", SMALL)
    write(tmp_path / "shared/Stable-diffusion/extra.safetensors", SMALL)
    write(tmp_path / "more/one.safetensors", SMALL)
    (comfy / "extra_model_paths.yaml").write_text(
        f"a111:\n    base_path: {tmp_path}/shared/\n    checkpoints: Stable-diffusion\n    loras: |\n"
        f"        {tmp_path}/more\n        nowhere\nempty:\nwords: a\n"
    )
    environment = {"COMFYUI_PATH": str(comfy)} if root.startswith("elsewhere") else {}
    expected = {f"{root}/models/{name}/sub/x.safetensors": ("comfyui", kind) for name, kind in kinds.items()}
    expected |= {
        "shared/Stable-diffusion/extra.safetensors": ("comfyui", "base"), "more/one.safetensors": ("comfyui", "lora"),
    }  # fmt: skip
    assert found(environment) == expected


@pytest.mark.parametrize(
    "text", ["", "{", "a: [", "- 1", "a: 3", "!!python/object/apply:os.system ['touch ran']", "\0"]
)
def test_a_broken_list_of_paths_hides_nothing_else(found, tmp_path, text):
    write(tmp_path / "home/ComfyUI/models/checkpoints/x.safetensors", SMALL)
    (tmp_path / "home/ComfyUI/extra_model_paths.yaml").write_text(text)
    assert len(found()) == 1


@pytest.mark.parametrize(
    ("platform", "listing"),
    [
        ("linux", "home/.config/ComfyUI/extra_models_config.yaml"),
        ("darwin", "home/Library/Application Support/ComfyUI/extra_models_config.yaml"),
        ("win32", "home/AppData/Roaming/Comfy Desktop/shared_model_paths.yaml"),
    ],
)
def test_comfyui_desktops_own_list_is_read(found, tmp_path, platform, listing):
    write(tmp_path / "d/models/checkpoints/x.safetensors", SMALL)
    (tmp_path / listing).parent.mkdir(parents=True)
    (tmp_path / listing).write_text(
        f"comfyui_desktop:\n  base_path: {tmp_path}/d\n  checkpoints: models\\checkpoints\\\n"
    )
    assert found(platform=platform) == {"d/models/checkpoints/x.safetensors": ("comfyui", "base")}


@pytest.mark.parametrize("root", ["home/stable-diffusion-webui", "home/stable-diffusion-webui-forge"])
def test_the_web_uis_are_found_with_their_arguments(found, tmp_path, root):
    web = tmp_path / root
    kinds = {"models/Stable-diffusion": "base", "models/Lora": "lora", "models/VAE": "vae", "models/ESRGAN": "upscaler",
             "models/ControlNet": "controlnet", "embeddings": "embedding"}  # fmt: skip
    for name in kinds:
        write(web / name / "x.safetensors", SMALL)
    for name in ("big disk", "loras", "forge"):
        write(tmp_path / name / "y.safetensors", SMALL)
    (web / "webui-user.sh").write_text(
        '#!/bin/bash\n#export COMMANDLINE_ARGS="--vae-dir /nowhere"\n'
        f"export COMMANDLINE_ARGS=\"--xformers --ckpt-dir '{tmp_path}/big disk' --lora-dir={tmp_path}/loras\"\n"
    )
    (web / "webui-user.bat").write_text(
        f"@echo off\nset COMMANDLINE_ARGS=--esrgan-models-path {tmp_path}/forge --api\n"
    )
    expected = {f"{root}/{name}/x.safetensors": ("a1111", kind) for name, kind in kinds.items()}
    expected |= {"big disk/y.safetensors": ("a1111", "base"), "loras/y.safetensors": ("a1111", "lora"),
                 "forge/y.safetensors": ("a1111", "upscaler")}  # fmt: skip
    assert found() == expected


@pytest.mark.parametrize("named", [True, False])
def test_invokeai_is_found_with_what_its_database_knows_elsewhere(found, tmp_path, named):
    root = tmp_path / ("invoke" if named else "home/invokeai")
    write(root / "models/sdxl/main/x.safetensors", SMALL)
    write(tmp_path / "downloads/y.safetensors", SMALL)
    write(tmp_path / "downloads/not-installed.safetensors", SMALL)
    (root / "databases").mkdir()
    with sqlite3.connect(root / "databases/invokeai.db") as database:
        database.execute("CREATE TABLE models (id TEXT, path TEXT)")
        rows = [
            ("1", "sdxl/main/x.safetensors"),
            ("2", f"{tmp_path}/downloads/y.safetensors"),
            ("3", None),
            ("4", "/gone"),
        ]
        database.executemany("INSERT INTO models VALUES (?, ?)", rows)
    assert found({"INVOKEAI_ROOT": str(root)} if named else {}) == {
        f"{root.relative_to(tmp_path)}/models/sdxl/main/x.safetensors": ("invokeai", "unknown"),
        "downloads/y.safetensors": ("invokeai", "unknown"),
    }


def test_invokeais_models_may_lie_elsewhere(found, tmp_path):
    write(tmp_path / "big/x.safetensors", SMALL)
    (tmp_path / "home/invokeai/databases").mkdir(parents=True)
    (tmp_path / "home/invokeai/databases/invokeai.db").write_text("no database")
    (tmp_path / "home/invokeai/invokeai.yaml").write_text(f"schema_version: 4.0.2\nmodels_dir: {tmp_path}/big\n")
    assert found() == {"big/x.safetensors": ("invokeai", "unknown")}


def cached(cache, repository, commit, main=True):
    """A model in the hub's cache, as links to its blobs."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    blob = write(folder / "blobs" / "abc.safetensors", SMALL)
    (folder / "blobs" / "abc").write_bytes(blob.read_bytes())
    blob.unlink()
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "x.safetensors").symlink_to(folder / "blobs" / "abc")
    if main:
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(commit)
    return snapshot


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({}, "home/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "{}/xdg"}, "xdg/huggingface/hub"),
        ({"HF_HOME": "{}/hf"}, "hf/hub"),
        ({"HF_HUB_CACHE": "{}/cache", "HF_HOME": "{}/hf"}, "cache"),
    ],
)
def test_the_hubs_cache_is_followed_to_its_newest_commit(found, tmp_path, environment, cache):
    cached(tmp_path / cache, "a/b", "111", main=False)
    cached(tmp_path / cache, "a/b", "222")
    cached(tmp_path / cache, "c/d", "333", main=False)
    environment = {name: value.format(tmp_path) for name, value in environment.items()}
    assert found(environment) == {
        f"{cache}/models--a--b/snapshots/222/x.safetensors": ("hub", "unknown"),
        f"{cache}/models--c--d/snapshots/333/x.safetensors": ("hub", "unknown"),
    }


def test_folders_of_the_environment_are_known_for_what_they_are(found, tmp_path):
    write(tmp_path / "plain/x.safetensors", SMALL)
    write(tmp_path / "comfy/models/checkpoints/y.safetensors", SMALL)
    assert found({"SCUMBLE_MODELS": f"{tmp_path}/plain:{tmp_path}/comfy:{tmp_path}/gone"}) == {
        "plain/x.safetensors": ("added", "unknown"),
        "comfy/models/checkpoints/y.safetensors": ("comfyui", "base"),
    }


def test_added_folders_are_kept_until_they_are_removed(found, tmp_path):
    models = tmp_path / "data/models"
    write(tmp_path / "mine/x.safetensors", SMALL)
    assert add_folder(models, tmp_path / "mine") == add_folder(models, tmp_path / "mine")
    assert added_folders(models) == (tmp_path / "mine",) and found() == {"mine/x.safetensors": ("added", "unknown")}
    remove_folder(models, tmp_path / "mine")
    assert added_folders(models) == () and found() == {}
    assert (tmp_path / "mine/x.safetensors").exists()


def test_what_can_not_be_added_or_removed_is_said(tmp_path):
    models = tmp_path / "models"
    with pytest.raises(ScumbleError, match="There is no folder"):
        add_folder(models, tmp_path / "gone")
    with pytest.raises(ScumbleError, match="a whole disk"):
        add_folder(models, tmp_path.anchor and type(tmp_path)(tmp_path.anchor))
    with pytest.raises(ScumbleError, match="no folder that was added: those are none so far"):
        remove_folder(models, tmp_path)
    models.mkdir()
    (models / "folders.json").write_text(json.dumps({"folders": 3}))
    with pytest.raises(ScumbleError, match=r"folders\.json can't be read"):
        added_folders(models)
