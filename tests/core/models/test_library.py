"""What is offered to an artist, what a short name stands for, and what is refused before a job starts."""

import os
import shutil

import pytest
import torch
from tests.core.models.detect.layouts import LDM_VAE, checkpoint, kohya, ldm_unet, write
from tests.core.models.tiny import save_tiny
from tests.core.models.tiny_upscalers import save_upscaler

from scumble_core.errors import ScumbleError
from scumble_core.models.background import bring_up_to_date, content_hash
from scumble_core.models.finding import add_folder
from scumble_core.models.library import (
    base_facts,
    check_additions,
    choices,
    found_of,
    identity_of,
    refiner_for,
    upscaler_facts,
)
from scumble_core.models.starter.places import upscaler_path
from scumble_core.picture.geometry import Extent
from scumble_core.plan.job import plan_job
from scumble_core.request import RefineRequest

SDXL_LORA = kohya({"lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k": (2048, 640)})
CONTROL = {
    "control_model.input_hint_block.0.weight": (16, 3, 3, 3), "control_model.zero_convs.0.0.weight": (320, 320, 1, 1),
    "control_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": (640, 768),
}  # fmt: skip


@pytest.fixture
def models(tmp_path, bare_home, monkeypatch):
    """The models folder of a data folder of our own, and a home with nothing in it."""
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data/models").mkdir(parents=True)
    return tmp_path / "data/models"


def names(pairs):
    return [name for _id, name in pairs]


def test_all_that_can_be_used_is_offered_by_kind(models):
    save_tiny("sd15", models / "diffusion/mine")
    save_tiny("sdxl-refiner", models / "diffusion/finer")
    write(models / "style.safetensors", SDXL_LORA)
    write(models / "control.safetensors", CONTROL)
    write(models / "vae.safetensors", LDM_VAE)
    write(models / "word.safetensors", {"emb_params": (4, 768)})
    (models / "upscalers").mkdir()
    shutil.copy(upscaler_path(4), models / "upscalers/sharp.safetensors")
    offered = choices(models)
    assert names(offered.bases) == ["Starter (built in)", "mine (SD 1.5)"]
    assert names(offered.refiners) == ["Starter refiner (built in)", "finer (SDXL refiner)", "None"]
    assert names(offered.upscalers)[4:] == ["sharp"]
    assert names(offered.loras) == ["style (SDXL)"] and names(offered.controlnets) == ["control (SD 1.5)"]
    assert names(offered.vaes) == ["vae (SD or SDXL)"] and names(offered.embeddings) == ["word (SD 1.5)"]


def test_the_starters_are_always_there():
    offered = choices()
    assert [model for model, _name in offered.bases] == ["starter"]
    assert [model for model, _name in offered.upscalers] == ["auto", "none", "starter-x2", "starter-x4"]


def test_what_is_put_into_the_folder_later_is_offered_at_once(models):
    assert choices(models).loras == ()
    path = write(models / "style.safetensors", SDXL_LORA)
    assert choices(models).loras == ((str(path), "style (SDXL)"),)
    path.unlink()
    assert choices(models).loras == ()


def test_what_can_not_be_used_is_not_offered(models):
    write(models / "broken.safetensors", checkpoint("sd15"))
    with (models / "broken.safetensors").open("r+b") as file:
        file.truncate(5000)
    write(models / "no-vae.safetensors", {n: s for n, s in checkpoint("sd15").items() if "first_stage" not in n})
    write(models / "depth.safetensors", checkpoint("sdxl", channels=5))
    write(models / "net.safetensors", ldm_unet(768))
    (models / "upscalers").mkdir()
    (models / "upscalers/empty.pth").write_bytes(b"")
    offered = choices(models)
    assert len(offered.bases) == 1 and len(offered.upscalers) == 4


def test_what_another_model_completes_is_offered(models):
    write(models / "net.safetensors", ldm_unet(768))
    write(models / "no-vae.safetensors", {n: s for n, s in checkpoint("sd15").items() if "first_stage" not in n})
    assert len(choices(models).bases) == 1
    save_tiny("sd15", models / "whole")
    assert sorted(names(choices(models).bases)[1:]) == ["net (SD 1.5)", "no-vae (SD 1.5)", "whole (SD 1.5)"]


def test_an_unknown_file_among_upscalers_is_offered_until_spandrel_says_no(models):
    (models / "upscalers").mkdir()
    torch.save({"of.some.kind": torch.zeros(3, 3)}, models / "upscalers/odd.pth")
    assert names(choices(models).upscalers)[4:] == names(choices(models).restorers) == ["odd"]
    bring_up_to_date(models)
    assert names(choices(models).upscalers)[4:] == names(choices(models).restorers) == []


def test_what_enlarges_is_an_upscaler_and_what_keeps_the_size_a_restorer(models):
    (models / "upscalers").mkdir()
    save_upscaler("compact-x1", models / "upscalers/clean.pth")
    save_upscaler("compact-x2", models / "upscalers/large.pth")
    bring_up_to_date(models)
    found = choices(models)
    assert (names(found.upscalers)[4:], names(found.restorers)) == (["large (2x)"], ["clean (1x)"])


def test_the_same_file_in_two_programs_is_one_model_and_namesakes_are_told_apart(models, tmp_path):
    first = write(models / "a/style.safetensors", SDXL_LORA)
    (models / "b").mkdir()
    (models / "b/style.safetensors").symlink_to(first)
    assert names(choices(models).loras) == ["style (SDXL)"]
    other = write(models / "c/style.safetensors", SDXL_LORA)
    os.utime(other, ns=(1, 1))
    assert names(choices(models).loras) == [f"style (SDXL), {models}/a", f"style (SDXL), {models}/c"]


def test_a_name_that_one_model_has_stands_for_its_path(models):
    save_tiny("sd15", models / "Dreamy")
    choices(models)
    assert found_of("dreamy").path == str(models / "Dreamy")
    assert base_facts("Dreamy").family == "sd15"
    write(models / "one/style.safetensors", SDXL_LORA)
    write(models / "two/style.safetensors", {**SDXL_LORA, "more": (1,)})
    choices(models)
    with pytest.raises(ScumbleError, match=r"2 models are named 'style': give one's path \(.*one/style"):
        found_of("style")
    with pytest.raises(ScumbleError, match=r"no model named 'gone'.*scumble models list"):
        found_of("gone")


def test_models_of_added_folders_are_found_by_name(models, tmp_path):
    write(tmp_path / "elsewhere/style.safetensors", SDXL_LORA)
    add_folder(models, tmp_path / "elsewhere")
    bring_up_to_date(models)
    assert names(choices(models).loras) == ["style (SDXL)"]
    assert found_of("style.safetensors").family == "sdxl"


def cut(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1000)


BASES = {
    "a refiner": (checkpoint("sdxl-refiner"), "is a refiner, which only finishes pictures, not the base model"),
    "a LoRA": (SDXL_LORA, "is a LoRA, not the base model"),
    "a network alone": (ldm_unet(768), "a diffusion network without its encoders, and no model lends it any"),
    "an autoencoder": (LDM_VAE, r"an autoencoder \(VAE\), not the base model"),
    "no encoder": (
        {name: shape for name, shape in checkpoint("sd15").items() if "cond_stage" not in name},
        "comes without its text encoder, and no model lends it one",
    ),
    "another task": (checkpoint("sd15", channels=8), r"a model for another task \(edit\)"),
    "another sampling": ({**checkpoint("sdxl"), "edm_mean": (4,)}, "is an EDM model"),
    "nothing known": ({"a": (2,)}, "of a kind that Scumble doesn't know"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BASES)
def test_what_can_not_be_a_base_is_refused_by_planning(models, kind):
    shapes, said = BASES[kind]
    path = write(models / "x.safetensors", shapes)
    with pytest.raises(ScumbleError, match=said) as caught:
        plan_job(RefineRequest(base=str(path)), Extent(64, 64))
    assert str(path) in caught.value.message and caught.value.message.count(". ") == 0


@pytest.mark.parametrize("indexed", [True, False])
def test_a_broken_or_malicious_base_is_refused_by_planning(models, indexed):
    path = write(models / "x.safetensors", checkpoint("sd15"))
    cut(path)
    evil = models / "evil.ckpt"
    evil.write_bytes(b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.")
    if indexed:
        choices(models)
    with pytest.raises(ScumbleError, match="cut off"):
        plan_job(RefineRequest(base=str(path)), Extent(64, 64))
    with pytest.raises(ScumbleError, match="could run code") as caught:
        plan_job(RefineRequest(base=str(evil)), Extent(64, 64))
    assert caught.value.code == "unsafe_model"


def test_refiners_of_other_families_or_that_are_none_are_refused_by_planning(models):
    save_tiny("sd15", models / "base")
    refiner = write(models / "refiner.safetensors", checkpoint("sdxl-refiner"))
    lora = write(models / "lora.safetensors", SDXL_LORA)
    with pytest.raises(ScumbleError, match="does not share the latents"):
        refiner_for(RefineRequest(base=str(models / "base"), refiner=str(refiner)))
    with pytest.raises(ScumbleError, match="does not share the latents of the model the starter"):
        refiner_for(RefineRequest(refiner=str(refiner)))
    with pytest.raises(ScumbleError, match="is a LoRA, not the refiner"):
        refiner_for(RefineRequest(base=str(models / "base"), refiner=str(lora)))


def test_upscalers_that_are_none_are_refused_by_planning(models):
    lora = write(models / "lora.safetensors", SDXL_LORA)
    with pytest.raises(ScumbleError, match="is a LoRA, not the upscaler"):
        plan_job(RefineRequest(upscaler=str(lora)), Extent(64, 64))


def test_an_upscalers_scale_is_known_once_spandrel_was_asked(models):
    shutil.copy(upscaler_path(2), models / "sharp.safetensors")
    choices(models)
    assert upscaler_facts("sharp").scale is None
    bring_up_to_date(models)
    assert upscaler_facts("sharp").scale == 2


@pytest.mark.parametrize(
    ("field", "shapes", "family", "said"),
    [
        ("loras", SDXL_LORA, "sdxl", None),
        ("loras", SDXL_LORA, "sd15", "is a LoRA for SDXL, but the base model the base is of the family sd15"),
        ("loras", LDM_VAE, "sd15", r"is an autoencoder .* not LoRA: choose a LoRA"),
        ("loras", kohya({"lora_unet_of_no_known_family": (9, 9)}), "sd15", None),
        ("controlnet", CONTROL, "sd15", None),
        ("controlnet", CONTROL, "sdxl", "is a ControlNet for SD 1.5, but the base model"),
        ("vae", LDM_VAE, "sdxl", None),
        ("vae", LDM_VAE, "flux", r"is an autoencoder \(VAE\) for SD or SDXL, but the base model"),
    ],
)
def test_additions_of_other_families_are_refused(models, field, shapes, family, said):
    path = str(write(models / "x.safetensors", shapes))
    value = [{"id": path, "weight": 0.8}] if field == "loras" else path
    request = RefineRequest.from_dict({"base": "the base", field: value})
    if said is None:
        check_additions(request, family)
        return
    with pytest.raises(ScumbleError, match=said):
        check_additions(request, family)


def test_an_identity_is_the_contents_where_that_is_known(models):
    path = write(models / "x.safetensors", {"emb_params": (4, 768)})
    before = identity_of(str(path))
    assert str(path.stat().st_mtime_ns) in before
    bring_up_to_date(models)
    other = write(models / "y.safetensors", {"emb_params": (5, 768)})
    bring_up_to_date(models)
    assert identity_of(str(other)) == f"sha256 {content_hash(other)}"


def test_an_identity_once_given_stays_while_the_file_does(models):
    path = write(models / "x.safetensors", {"emb_params": (4, 768)})
    choices(models)
    before = identity_of(str(path))
    bring_up_to_date(models)
    assert identity_of(str(path)) == before
    write(path, {"emb_params": (5, 768)})
    assert identity_of(str(path)) != before


def test_starters_have_an_identity_without_any_index(models):
    assert identity_of("none") == "none"
    assert len({identity_of(name) for name in ("starter", "starter-refiner", "starter-x2", "starter-x4")}) == 4
    assert list(models.iterdir()) == []
