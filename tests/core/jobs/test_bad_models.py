"""What can't be done with the models asked for is said in one sentence before any pass runs, upscaling included.

Most of it already when a job is sent, by what detection knows; the rest when the worker loads the models.
"""

import asyncio
import re
import shutil

import pytest
import torch
from diffusers import DiffusionPipeline
from driver import header_of, new_job, noise, running_core
from safetensors.torch import save_file
from tests.core.jobs_on_disk import job, photo
from tests.core.models.controlnet import files as controlnets
from tests.core.models.detect.layouts import FLUX_DEV, Z_IMAGE, kohya, under, write
from tests.core.models.lora import files as loras
from tests.core.models.tiny import save_tiny
from tests.core.models.tiny_exports import unet_as_ldm, vae_as_ldm

from scumble_bridge import messages as wire
from scumble_core.errors import ScumbleError
from scumble_core.jobs.admission import check_models
from scumble_core.jobs.estimates import Machine, estimated
from scumble_core.models.cache import ModelCache
from scumble_core.models.offers import entries_of
from scumble_core.pipeline import run_job
from scumble_core.request import RefineRequest

FAMILIES = ("sd15", "sdxl", "sdxl-refiner")
SKETCHED_VAE = {"decoder.conv_in.weight": (512, 16, 3, 3), "decoder.mid.block_1.conv1.weight": (512, 512, 3, 3),
                "encoder.conv_in.weight": (128, 3, 3, 3)}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tiny models that are good, and what was made bad of them."""
    room = tmp_path_factory.mktemp("models")
    pipes = {}
    for family in FAMILIES:
        save_tiny(family, room / family)
        pipes[family] = DiffusionPipeline.from_pretrained(room / family, local_files_only=True)
    bad(room, pipes)
    return room


def bad(room, pipes):
    unet = {
        f"model.diffusion_model.{name}": each.contiguous() for name, each in unet_as_ldm(pipes["sdxl"].unet).items()
    }
    encoders = {
        f"conditioner.embedders.{each}.{inner}": torch.zeros(1)
        for each, inner in ((0, "transformer.x"), (1, "model.x"))
    }
    whole = {**unet, **encoders, "first_stage_model.x": torch.zeros(1)}
    save_file(whole, room / "cut.safetensors")
    with (room / "cut.safetensors").open("r+b") as file:
        file.truncate((room / "cut.safetensors").stat().st_size - 1000)
    (room / "page.safetensors").write_text("<!DOCTYPE html><html>Not found</html>" * 9)
    torch.save(whole, room / "renamed.pt")
    (room / "renamed.pt").rename(room / "renamed.safetensors")
    (room / "evil.ckpt").write_bytes(b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.")
    shrunk = {
        name: each for name, each in whole.items() if "middle_block.1." not in name and "middle_block.2." not in name
    }
    save_file(shrunk, room / "ssd-1b.safetensors")
    save_file({name: each for name, each in whole.items() if "conditioner" not in name}, room / "no-text.safetensors")
    write(
        room / "flux.safetensors", {**under("model.diffusion_model.", FLUX_DEV), "vae.x": (1,), "text_encoders.x": (1,)}
    )
    write(room / "z.safetensors", {**under("model.diffusion_model.", Z_IMAGE), "vae.x": (1,), "text_encoders.x": (1,)})
    write(room / "wan.safetensors", {"head.modulation": (1, 2, 5120)})
    write(room / "vae16.safetensors", SKETCHED_VAE)
    loras.kohya(room / "lora-xl.safetensors", loras.pairs(pipes["sdxl"], "sdxl"), "sdxl")
    controlnets.diffusers_file(room / "control-xl.safetensors", controlnets.tiny_controlnet(pipes["sdxl"].unet))
    # What only loading tells.
    gone = "unet/diffusion_pytorch_model.safetensors"
    for name, of in (("holes", "sd15"), ("refiner-holes", "sdxl-refiner")):
        shutil.copytree(room / of, room / name)
        tensors = {n: t.contiguous() for n, t in pipes[of].unet.state_dict().items() if "mid_block" not in n}
        save_file(tensors, room / name / gone)
    holes = {name: each for name, each in whole.items() if "output_blocks.2" not in name}
    save_file(holes, room / "holes.safetensors")
    write(room / "odd-lora.safetensors", kohya({"lora_unet_of_no_layer_at_all": (9, 9)}), dtype="F32")
    write(room / "odd-upscaler.safetensors", {"of.some.kind": (3, 3)}, dtype="F32")
    small = pipes["sd15"].vae
    levels = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    vae = type(small).from_config({**small.config, **levels, "block_out_channels": (8, 16)})
    save_file(vae_as_ldm(vae), room / "shallow-vae.safetensors")


# The fields of the request, paths by their names among the models; and what is said.
BEFORE = {
    "a truncated base": ({"base": "cut.safetensors"}, "cut off"),
    "a web page": ({"base": "page.safetensors"}, "it is a web page"),
    "a pickle by another name": ({"base": "renamed.safetensors"}, "rename it to .ckpt"),
    "a malicious pickle": ({"base": "evil.ckpt"}, "could run code"),
    "a base of another build": ({"base": "ssd-1b.safetensors"}, "holds SD or SDXL with fewer layers"),
    "a base of a family that can't be run": ({"base": "wan.safetensors"}, "holds Wan, which Scumble can't run"),
    "no text encoder": ({"base": "no-text.safetensors"}, "comes without its text encoder, and no model lends it"),
    "no tokenizer for Flux": ({"base": "flux.safetensors"}, "comes without its tokenizer, and no model lends it"),
    "no tokenizer for Z-Image": ({"base": "z.safetensors"}, "comes without its tokenizer, and no model lends it"),
    "a refiner as base": ({"base": "sdxl-refiner"}, "is a refiner, .* not the base model"),
    "a refiner of other latents": ({"refiner": "sdxl-refiner"}, "does not share the latents"),
    "a LoRA of another family": ({"loras": "lora-xl.safetensors"}, "is a LoRA for SDXL"),
    "a ControlNet of another family": ({"controlnet": "control-xl.safetensors"}, "is a ControlNet for SDXL"),
    "a VAE of another latent space": ({"vae": "vae16.safetensors"}, "for Flux or SD 3"),
    "an upscaler that is a LoRA": ({"upscaler": "lora-xl.safetensors"}, "is a LoRA, not the upscaler"),
    "a restorer that enlarges": ({"restore": "starter-x2"}, "can't restore at the picture's own size"),
}  # fmt: skip
LOADING = {
    "a folder with holes": ({"base": "holes"}, r"holes can't be loaded"),
    "a file with holes": ({"base": "holes.safetensors"}, "holes.safetensors can't be loaded"),
    "a refiner with holes": ({"base": "sdxl", "refiner": "refiner-holes"}, "refiner-holes can't be loaded"),
    "a LoRA of unknown layers": ({"loras": "odd-lora.safetensors"}, "changes no layer that this model has"),
    "an autoencoder of other depth": ({"vae": "shallow-vae.safetensors"}, "has other latents than the base model's"),
    "an unknown upscaler": ({"upscaler": "odd-upscaler.safetensors"}, "is not an upscaler of a kind"),
    "a word of another width": ({"prompt": "a wideword"}, "was made for another family of models"),
}  # fmt: skip


@pytest.fixture
def at_home(tmp_path, bare_home, monkeypatch):
    """A home with one textual inversion in it, and nothing else."""
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    write(tmp_path / "data/models/wideword.safetensors", {"emb_params": (2, 768)}, dtype="F32")
    entries_of(tmp_path / "data/models")
    return tmp_path


def request_of(made, fields):
    asked = {
        "base": "sd15",
        "scale": 2.0,
        "upscaler": "starter-x2",
        "tile_size": 128,
        "steps": 1,
        "smallest_side": 64,
        **fields,
    }
    for name in ("base", "refiner", "controlnet", "vae", "upscaler"):
        if (made / str(asked.get(name))).exists():
            asked[name] = str(made / asked[name])
    if "loras" in asked:
        asked["loras"] = [{"id": str(made / asked["loras"]), "weight": 1.0}]
    return RefineRequest.from_dict(asked)


def refused_by_the_worker(folder, request):
    """What is said; and that nothing was done before."""
    events = []
    with pytest.raises(ScumbleError) as caught:
        run_job(job(folder, photo(64, 64)), request, ModelCache(), events.append, lambda: False)
    assert events == [] and list((folder / "tiles").glob("*")) == []
    message = caught.value.message
    assert message.endswith(".") and message.count(". ") == 0 and "\n" not in message
    assert caught.value.code in ("unknown_model", "unsafe_model")
    return message


@pytest.mark.parametrize("case", BEFORE)
def test_what_files_tell_is_said_when_a_job_is_sent_or_estimated_and_by_the_worker(made, at_home, case):
    fields, said = BEFORE[case]
    request = request_of(made, fields)
    with pytest.raises(ScumbleError, match=said) as sent:
        check_models(request)
    with pytest.raises(ScumbleError, match=said) as estimate:
        estimated(wire.Estimate(1, request.to_dict(), header_of(noise(64, 64))), Machine())
    assert sent.value.message == estimate.value.message == refused_by_the_worker(at_home / "job", request)


@pytest.mark.parametrize("case", LOADING)
def test_what_only_loading_tells_is_said_before_the_upscaler_begins(made, at_home, case):
    fields, said = LOADING[case]
    request = request_of(made, fields)
    check_models(request)
    message = refused_by_the_worker(at_home / "job", request)
    assert re.search(said, message), message


@pytest.mark.parametrize(
    ("preset", "fields"),
    [
        ("mikey", {"refiner": "refiner-holes", "base": "sdxl"}),
        ("mikey-base-only", {"upscaler": "odd-upscaler.safetensors"}),
    ],
)
def test_the_reference_nodes_way_finds_it_before_its_first_phase_too(made, at_home, preset, fields):
    asked = request_of(made, fields).to_dict()
    kept = {name: asked[name] for name in ("base", "upscaler", "scale", *(["refiner"] if preset == "mikey" else []))}
    refused_by_the_worker(at_home / "job", RefineRequest.from_dict({"preset": preset, **kept}))


def test_models_that_are_good_pass(made, at_home):
    check_models(request_of(made, {}))
    check_models(
        request_of(
            made, {"base": "sdxl", "refiner": "sdxl-refiner", "loras": "lora-xl.safetensors", "upscaler": "auto"}
        )
    )


def test_a_job_whose_base_is_broken_is_refused_before_its_pixels_come(made, at_home):
    async def work():
        async with running_core(at_home) as core, core.client() as client:
            await client.channel.send(
                wire.Submit(
                    new_job(), request_of(made, {"base": "cut.safetensors"}).to_dict(), header_of(noise(64, 64))
                )
            )
            answer = await client.wait_for((wire.Failed, wire.Accepted))
            assert isinstance(answer, wire.Failed) and answer.code == "unknown_model" and "cut off" in answer.message
            assert core.jobs == set()

    asyncio.run(asyncio.wait_for(work(), 60))
