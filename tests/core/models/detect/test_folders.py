"""Folders in diffusers' layout: whole pipelines that diffusers itself has saved, and single parts."""

import json
import shutil

import pytest
import torch
from diffusers import (
    ControlNetModel,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxTransformer2DModel,
    LCMScheduler,
)
from tests.core.models.tiny import save_tiny

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import detect

LINEAR = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for family in ("sd15", "sdxl", "sdxl-refiner"):
        save_tiny(family, folder / family)
    return folder


@pytest.fixture
def sdxl(tiny, tmp_path):
    shutil.copytree(tiny / "sdxl", tmp_path / "mine")
    return tmp_path / "mine"


@pytest.mark.parametrize(("family", "kind"), [("sd15", "base"), ("sdxl", "base"), ("sdxl-refiner", "refiner")])
def test_a_pipeline_is_known_by_its_parts(tiny, tmp_path, family, kind):
    shutil.copytree(tiny / family, tmp_path / "called-flux")
    found = detect(tmp_path / "called-flux")
    assert (found.kind, found.family, found.variant, found.prediction) == (kind, family, "", "epsilon")
    weights = sum(path.stat().st_size for path in (tmp_path / "called-flux").rglob("*.safetensors"))
    assert found.precision == "fp32" and found.missing == () and found.bytes == weights


@pytest.mark.parametrize(
    ("scheduler", "variant", "prediction", "detail"),
    [
        (EulerDiscreteScheduler(**LINEAR), "", "epsilon", {}),
        (EulerDiscreteScheduler(**LINEAR, prediction_type="v_prediction", rescale_betas_zero_snr=True),
         "", "v_prediction", {"zero_snr": True}),
        (LCMScheduler(**LINEAR), "lcm", "epsilon", {"variant_from": "scheduler"}),
        (EulerAncestralDiscreteScheduler(**LINEAR, timestep_spacing="trailing"),
         "turbo", "epsilon", {"few_steps": True, "variant_from": "scheduler"}),
        (EulerDiscreteScheduler(**LINEAR, timestep_spacing="trailing"), "", "epsilon", {"few_steps": True}),
    ],
)  # fmt: skip
def test_the_scheduler_tells_the_prediction_and_few_steps(sdxl, scheduler, variant, prediction, detail):
    scheduler.save_pretrained(sdxl / "scheduler")
    found = detect(sdxl)
    assert (found.variant, found.prediction) == (variant, prediction)
    assert {name: found.detail.get(name) for name in detail} == detail


@pytest.mark.parametrize("part", ["vae", "text_encoder", "text_encoder_2", "tokenizer"])
def test_a_part_that_is_gone_is_named(sdxl, part):
    shutil.rmtree(sdxl / part)
    assert detect(sdxl).missing == (part,)


def test_weights_that_are_pickles_alone_are_told(sdxl):
    (sdxl / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save({}, sdxl / "vae" / "diffusion_pytorch_model.bin")
    found = detect(sdxl)
    assert found.missing == ("vae",) and found.detail["pickled"] is True


def test_a_second_precision_beside_the_first_is_not_counted(sdxl):
    before = detect(sdxl).bytes
    unet = sdxl / "unet" / "diffusion_pytorch_model.safetensors"
    shutil.copy(unet, unet.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert detect(sdxl).bytes == before


def test_an_inpainting_network_has_nine_channels(sdxl):
    config = json.loads((sdxl / "unet" / "config.json").read_text())
    (sdxl / "unet" / "config.json").write_text(json.dumps({**config, "in_channels": 9}))
    assert detect(sdxl).variant == "inpainting"


def test_a_flow_pipeline_is_known_by_its_transformer(tmp_path):
    small = {"num_layers": 1, "num_single_layers": 1, "attention_head_dim": 8, "num_attention_heads": 2,
             "joint_attention_dim": 8, "pooled_projection_dim": 8, "axes_dims_rope": (2, 2, 4)}  # fmt: skip
    FluxTransformer2DModel(**small, guidance_embeds=True).save_pretrained(tmp_path / "m" / "transformer")
    FlowMatchEulerDiscreteScheduler().save_pretrained(tmp_path / "m" / "scheduler")
    index = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"],
             "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"], "text_encoder": [None, None]}  # fmt: skip
    (tmp_path / "m" / "model_index.json").write_text(json.dumps(index))
    found = detect(tmp_path / "m")
    assert (found.kind, found.family, found.variant, found.prediction) == ("base", "flux", "dev", "flow")


def test_a_network_in_shards_is_read_from_all(sdxl, tmp_path):
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(sdxl / "unet")
    shutil.rmtree(sdxl / "unet")
    before = detect(sdxl)
    unet.save_pretrained(sdxl / "unet", max_shard_size="100KB")
    assert len(list((sdxl / "unet").glob("*.safetensors"))) > 1
    found = detect(sdxl)
    assert found.missing == () and before.missing == ("unet",) and found.precision == "fp32"
    assert found.bytes == sum(path.stat().st_size for path in sdxl.rglob("*.safetensors"))
    assert detect(sdxl / "unet").family == "sdxl"


def test_a_part_alone_is_known_by_its_tensors(tiny, tmp_path):
    assert (detect(tiny / "sdxl" / "unet").kind, detect(tiny / "sd15" / "unet").family) == ("transformer", "sd15")
    assert detect(tiny / "sd15" / "vae").kind == "vae"
    assert detect(tiny / "sd15" / "text_encoder").kind == "text_encoder"
    small = {"block_out_channels": (8, 16), "cross_attention_dim": 32, "norm_num_groups": 4, "attention_head_dim": 4,
             "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D")}  # fmt: skip
    ControlNetModel(**small, conditioning_embedding_out_channels=(4, 8)).save_pretrained(tmp_path / "control-tile")
    found = detect(tmp_path / "control-tile")
    assert (found.kind, found.family, found.detail["layout"]) == ("controlnet", "sd15", "diffusers")


def test_an_autoencoders_factor_tells_the_family_that_its_tensors_hide(tiny, tmp_path):
    shutil.copytree(tiny / "sdxl" / "vae", tmp_path / "vae")
    config = json.loads((tmp_path / "vae" / "config.json").read_text())
    for factor, family in ((0.18215, "sd15"), (0.13025, "sdxl"), (0.5, "sd-or-sdxl")):
        (tmp_path / "vae" / "config.json").write_text(json.dumps({**config, "scaling_factor": factor}))
        assert detect(tmp_path / "vae").family == family


def test_a_folder_in_the_hubs_cache_has_its_repositorys_name(tiny, tmp_path):
    snapshot = tmp_path / "models--artist--dreams" / "snapshots" / "0123abc"
    shutil.copytree(tiny / "sd15", snapshot)
    assert detect(snapshot).title == "artist/dreams"


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"_class_name": 3}', '{"unet": "x"}', "\xff"])
def test_a_broken_index_is_one_sentence_or_unknown(tmp_path, text):
    (tmp_path / "model_index.json").write_bytes(text.encode("latin-1"))
    try:
        assert detect(tmp_path).kind == "unknown"
    except ScumbleError as error:
        assert str(tmp_path / "model_index.json") in error.message


def test_a_folder_that_is_no_model_is_said(tmp_path):
    with pytest.raises(ScumbleError, match="There is no model at"):
        detect(tmp_path)


def test_configurations_of_wrong_types_do_no_harm(sdxl):
    (sdxl / "unet" / "config.json").write_text('{"in_channels": "many", "cross_attention_dim": [1, 2]}')
    with pytest.raises(ScumbleError, match="make no sense"):
        detect(sdxl)
