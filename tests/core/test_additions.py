"""Whole jobs with LoRA, a ControlNet, another autoencoder and textual inversions beside tiny bases."""

import os

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DiffusionPipeline
from safetensors.torch import load_file, save_file
from tests.core.jobs_on_disk import job, photo, run
from tests.core.models.controlnet import files as controlnets
from tests.core.models.lora import files as loras
from tests.core.models.tiny import save_tiny
from tests.core.models.tiny_exports import vae_as_ldm
from tests.core.models.watched import Watched

from scumble_core.errors import RequestError, ScumbleError
from scumble_core.models.cache import ModelCache
from scumble_core.models.offers import entries_of
from scumble_core.picture.geometry import Extent
from scumble_core.plan.job import plan_job
from scumble_core.request import RefineRequest

SIZE = (150, 100)


@pytest.fixture(scope="module", params=["sd15", "sdxl"])
def made(request, tmp_path_factory):
    """A base and what goes beside it."""
    folder = tmp_path_factory.mktemp(request.param)
    save_tiny(request.param, folder / "base")
    pipe = DiffusionPipeline.from_pretrained(folder / "base", local_files_only=True)
    found = loras.pairs(pipe, request.param)
    loras.kohya(folder / "kohya.safetensors", found, request.param)
    loras.peft(folder / "peft.safetensors", found, request.param)
    net = controlnets.tiny_controlnet(pipe.unet)
    controlnets.diffusers_file(folder / "diffusers-control.safetensors", net)
    controlnets.ldm_file(folder / "ldm-control.safetensors", net)
    torch.manual_seed(9)
    scale = 0.13025 if request.param == "sdxl" else 0.18215  # by which detection tells a folder's family
    vae = AutoencoderKL.from_config(pipe.vae.config, scaling_factor=scale)
    vae.save_pretrained(folder / "vae")
    save_file(vae.state_dict(), folder / "vae.safetensors")
    save_file(vae_as_ldm(vae), folder / "vae-ldm.safetensors")
    return request.param, folder


@pytest.fixture(scope="module")
def models():
    return ModelCache()


def refined(folder, models, made, picture=None, **asked):
    """Of a small photo, with all its tiles."""
    pixels = photo(*SIZE) if picture is None else picture
    # A tiny base invents anything: the lock would hide it.
    fields = {"base": str(made[1] / "base"), "upscaler": "none", "scale": 1.0, "smallest_side": 64, "strength": 0.6,
              "colour_lock": 0.0, "prompt": "a b", "complexity": False, **asked}  # fmt: skip
    return run(job(folder, pixels), models, **fields)[2][..., :3].astype(int)


def lora(made, name, weight=1.0):
    return {"loras": [{"id": str(made[1] / f"{name}.safetensors"), "weight": weight}]}


def test_a_lora_changes_a_job_alike_in_every_layout_and_goes_again(tmp_path, models, made):
    plain = refined(tmp_path / "plain", models, made)
    kohya = refined(tmp_path / "kohya", models, made, **lora(made, "kohya"))
    peft = refined(tmp_path / "peft", models, made, **lora(made, "peft"))
    assert np.abs(kohya - peft).max() <= 1
    assert np.abs(kohya - plain).max() > 2
    assert (refined(tmp_path / "again", models, made) == plain).all()


def test_a_lora_that_the_prompt_calls_is_the_same_one(tmp_path, models, made):
    listed = refined(tmp_path / "listed", models, made, **lora(made, "kohya", 0.5))
    called = refined(tmp_path / "called", models, made, prompt=f"a b <lora:{made[1] / 'kohya.safetensors'}:0.5>")
    assert (called == listed).all()
    with pytest.raises(ScumbleError, match="There is no model named 'nowhere'"):
        refined(tmp_path / "unknown", models, made, prompt="a b <lora:nowhere:0.5>")


def test_finished_tiles_are_of_their_loras_and_weights(tmp_path, models, made):
    folder = tmp_path / "job"
    calls = []
    for asked in ({}, lora(made, "kohya"), lora(made, "kohya", 0.5), {}, lora(made, "kohya")):
        watched = Watched(models)
        refined(folder, watched, made, **asked)
        calls.append(watched.calls)
    assert min(calls[:3]) > 0
    assert calls[3:] == [0, 0]


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_a_controlnet_steers_a_job_alike_in_every_layout(tmp_path, models, made, strength):
    """At strength 1 the first steps are merged."""
    plain = refined(tmp_path / "plain", models, made, strength=strength)
    first, other = (
        refined(
            tmp_path / name, models, made, strength=strength, controlnet=str(made[1] / f"{name}-control.safetensors")
        )
        for name in ("diffusers", "ldm")
    )
    assert np.abs(first - other).max() <= 1
    assert np.abs(first - plain).max() > 2


def test_no_strength_and_no_share_of_the_walk_are_no_controlnet(tmp_path, models, made):
    plain, control = refined(tmp_path / "plain", models, made), str(made[1] / "ldm-control.safetensors")
    for name, asked in (("none", {"controlnet_strength": 0.0}), ("end", {"controlnet_end": 0.0})):
        assert (refined(tmp_path / name, models, made, controlnet=control, **asked) == plain).all()


def test_strength_and_end_make_a_difference_and_other_tiles(tmp_path, models, made):
    control = {"controlnet": str(made[1] / "ldm-control.safetensors")}
    folder = tmp_path / "job"
    whole, weak, short = (
        refined(folder, models, made, **control, **asked)
        for asked in ({}, {"controlnet_strength": 0.3}, {"controlnet_end": 0.5})
    )
    assert (whole != weak).any() and (whole != short).any() and (weak != short).any()


def test_steered_batches_and_regions_come_out_as_single_tiles_do(tmp_path, models, made):
    control = {"controlnet": str(made[1] / "ldm-control.safetensors")}
    mask = np.zeros((SIZE[1], SIZE[0], 1), np.uint8)
    mask[:, 70:] = 255
    pictures = []
    for batch in (1, 2):
        folder = job(tmp_path / str(batch), photo(*SIZE), region_1=mask)
        pictures.append(refined(folder, models, made, batch=batch, regions=[{"prompt": "d d"}], **control))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_steered_tiles_are_walked_in_windows_when_memory_runs_out(tmp_path, models, made):
    control = {"controlnet": str(made[1] / "ldm-control.safetensors"), "tile_size": 320}
    watched = Watched(models, torch.OutOfMemoryError(), most=32)
    windowed = refined(tmp_path / "windows", watched, made, photo(320, 320), **control)
    whole = refined(tmp_path / "whole", models, made, photo(320, 320), **control)
    unsteered = refined(tmp_path / "none", models, made, photo(320, 320), tile_size=320)
    assert watched.calls > 4
    assert np.abs(windowed - whole).mean() < np.abs(unsteered - whole).mean() / 2


def test_textual_inversions_that_the_index_knows_are_called_by_name(tmp_path, models, made, monkeypatch):
    if made[0] != "sdxl":
        pytest.skip("of a tiny textual inversion for SD 1.5 the width does not tell the family")
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "data" / "models" / "embeddings"
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(4)
    rows = {name: torch.randn(2, 32, generator=generator) for name in ("clip_l", "clip_g")}
    save_file(rows, folder / "Bad-Hands.safetensors")
    asked = {"prompt": "a b", "negative_prompt": "c, bad-hands"}
    unknown = refined(tmp_path / "job", models, made, **asked)
    assert entries_of(tmp_path / "data" / "models")
    known = refined(tmp_path / "job", models, made, **asked)
    assert (unknown != known).any()
    changed = {name: -row for name, row in rows.items()}
    save_file(changed, folder / "Bad-Hands.safetensors")
    os.utime(folder / "Bad-Hands.safetensors", ns=(1, 1))
    assert (refined(tmp_path / "job", models, made, **asked) != known).any()


def test_another_autoencoder_is_used_from_folder_and_file(tmp_path, models, made):
    plain = refined(tmp_path / "plain", models, made)
    folder, file = (
        refined(tmp_path / name, models, made, vae=str(made[1] / name)) for name in ("vae", "vae.safetensors")
    )
    assert (folder == file).all()
    assert (folder != plain).any()


def test_a_mikey_job_has_loras_too(tmp_path, models, made):
    asked = {"preset": "mikey-advanced-base-only", "strength": 0.6, "tile_size": 256, "steps": 3, "scale": 1.0}
    results = []
    for name, more in (("plain", {}), ("lora", lora(made, "kohya"))):
        folder = job(tmp_path / name, photo(256, 256))
        results.append(run(folder, models, base=str(made[1] / "base"), upscaler="none", **asked, **more)[2])
    assert (results[0] != results[1]).any()


def plan(made, **asked):
    return plan_job(RefineRequest.from_dict({"base": str(made[1] / "base"), **asked}), Extent(128, 128))


def test_what_cannot_be_is_told_before_the_job_starts(tmp_path, made):
    dora = load_file(made[1] / "kohya.safetensors")
    first = next(name for name in dora if name.endswith(".alpha")).removesuffix(".alpha")
    save_file({**dora, f"{first}.dora_scale": torch.ones(8)}, tmp_path / "dora.safetensors")
    pipe = DiffusionPipeline.from_pretrained(made[1] / "base", local_files_only=True)
    said = {
        "is a DoRA": {"loras": [{"id": str(tmp_path / "dora.safetensors"), "weight": 1}]},
        "is a LoRA, not ControlNet": {"controlnet": str(made[1] / "kohya.safetensors")},
        "There is no model named": {"vae": str(tmp_path / "gone.safetensors")},
        "wants the textual inversion 'gone'": {"prompt": "a, embedding:gone"},
    }
    half = load_file(made[1] / "vae.safetensors")
    half = {name: each for name, each in half.items() if not name.startswith("encoder.")}
    save_file(half, tmp_path / "half.safetensors")
    said["only half an autoencoder"] = {"vae": str(tmp_path / "half.safetensors")}
    if made[0] == "sdxl":
        net = controlnets.tiny_controlnet(pipe.unet, tasks=6)
        path = controlnets.diffusers_file(tmp_path / "union.safetensors", net)
        said["tiles are none of them"] = {"controlnet": str(path)}
    for sentence, asked in said.items():
        with pytest.raises(ScumbleError, match=sentence):
            plan(made, **asked)
    with pytest.raises(RequestError, match="steers no refiner"):
        plan(made, controlnet=str(made[1] / "ldm-control.safetensors"), tiler_model="refiner")


def test_the_plan_and_the_results_metadata_name_what_is_added(made):
    control = str(made[1] / "ldm-control.safetensors")
    told = plan(made, **lora(made, "kohya", 0.5), controlnet=control).to_dict()["models"]
    assert told["loras"] == [{"id": str(made[1] / "kohya.safetensors"), "weight": 0.5}]
    assert told["controlnet"] == control and "vae" not in told
    assert set(plan(made).to_dict()["models"]) == {"base", "refiner", "upscaler"}


def test_additions_for_the_starter_models_are_refused(made):
    with pytest.raises(ScumbleError, match="base model starter is of the family starter"):
        plan(made, base="starter", vae=str(made[1] / "vae.safetensors"))
