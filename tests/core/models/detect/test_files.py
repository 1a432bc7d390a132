"""Single files of every layout that artists have, known by their tensors alone: names of files mislead."""

import struct

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLQwenImage,
    AutoencoderTiny,
    ControlNetModel,
    ControlNetUnionModel,
    FluxTransformer2DModel,
    QwenImageTransformer2DModel,
    SD3Transformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)
from tests.core.models.detect.layouts import (
    CLIP_L,
    FLUX,
    FLUX_DEV,
    LDM_VAE,
    SD3,
    Z_IMAGE,
    checkpoint,
    kohya,
    ldm_unet,
    peft,
    under,
    write,
)

from scumble_core.models.detect import Found, detect, fits

NET = "model.diffusion_model."
SDXL_ADDED = {
    "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816,
    "cross_attention_dim": 2048, "use_linear_projection": True,
}  # fmt: skip


def empty(kind, **settings):
    """The names and shapes of one of diffusers' own networks, at no cost."""
    with torch.device("meta"):
        return {name: tuple(each.shape) for name, each in kind(**settings).state_dict().items()}


def told(found: Found) -> tuple[str, str, str, str]:
    return found.kind, found.family, found.variant, found.prediction


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (checkpoint("sd15"), ("base", "sd15", "", "epsilon")),
        (checkpoint("sd15", 9), ("base", "sd15", "inpainting", "epsilon")),
        (checkpoint("sd15", 8), ("base", "sd15", "edit", "epsilon")),
        (checkpoint("sd21", 9), ("base", "sd21", "inpainting", "epsilon")),
        (checkpoint("sdxl"), ("base", "sdxl", "", "epsilon")),
        (checkpoint("sdxl", 9), ("base", "sdxl", "inpainting", "epsilon")),
        (checkpoint("sdxl-refiner"), ("refiner", "sdxl-refiner", "", "epsilon")),
        ({**checkpoint("sdxl"), "v_pred": (0,)}, ("base", "sdxl", "", "v_prediction")),
        ({**checkpoint("sdxl"), "edm_mean": (4,), "edm_std": (4,)}, ("base", "sdxl", "", "edm")),
        (under(NET, ldm_unet(2048, added=2816)), ("transformer", "sdxl", "", "epsilon")),
        (ldm_unet(768), ("transformer", "sd15", "", "epsilon")),
        (FLUX, ("transformer", "flux", "schnell", "flow")),
        (FLUX_DEV, ("transformer", "flux", "dev", "flow")),
        (under(NET, FLUX_DEV), ("transformer", "flux", "dev", "flow")),
        ({**FLUX_DEV, "img_in.weight": (3072, 384)}, ("transformer", "flux", "fill", "flow")),
        (Z_IMAGE, ("transformer", "z-image", "", "flow")),
        (SD3, ("transformer", "sd3", "3-medium", "flow")),
        (
            {**under(NET, FLUX), **under("vae.", LDM_VAE), **under("text_encoders.clip_l.transformer.", CLIP_L)},
            ("base", "flux", "schnell", "flow"),
        ),
        (LDM_VAE, ("vae", "sd-or-sdxl", "", "")),
        (under("first_stage_model.", LDM_VAE), ("vae", "sd-or-sdxl", "", "")),
        ({**LDM_VAE, "decoder.conv_in.weight": (512, 16, 3, 3)}, ("vae", "flux-or-sd3", "", "")),
        ({"1.weight": (64, 4, 3, 3), "3.conv.0.weight": (64, 64, 3, 3)}, ("vae", "sd-or-sdxl", "tiny", "")),
        (
            {"0.weight": (64, 3, 3, 3), "1.conv.0.weight": (64, 64, 3, 3), "14.weight": (16, 64, 3, 3)},
            ("vae", "flux-or-sd3", "tiny", ""),
        ),
        ({"emb_params": (8, 768)}, ("embedding", "sd15", "", "")),
        ({"emb_params": (8, 1024)}, ("embedding", "sd21", "", "")),
        ({"<my-style>": (768,)}, ("embedding", "sd15", "", "")),
        ({"clip_l": (2, 768), "clip_g": (2, 1280)}, ("embedding", "sdxl", "", "")),
        (CLIP_L, ("text_encoder", "", "", "")),
        ({"something.else": (3, 4)}, ("unknown", "", "", "")),
    ],
)  # fmt: skip
def test_a_file_is_known_by_its_tensors(tmp_path, shapes, expected):
    assert told(detect(write(tmp_path / "xyz.safetensors", shapes))) == expected


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (UNet2DConditionModel, {"cross_attention_dim": 768}, ("transformer", "sd15", "", "epsilon")),
        (UNet2DConditionModel, {"in_channels": 9, "cross_attention_dim": 768},
         ("transformer", "sd15", "inpainting", "epsilon")),
        (UNet2DConditionModel, SDXL_ADDED, ("transformer", "sdxl", "", "epsilon")),
        (UNet2DConditionModel, {"cross_attention_dim": 768, "time_cond_proj_dim": 256},
         ("transformer", "sd15", "lcm", "epsilon")),
        (ControlNetModel, {"cross_attention_dim": 768}, ("controlnet", "sd15", "", "")),
        (ControlNetModel, SDXL_ADDED, ("controlnet", "sdxl", "", "")),
        (ControlNetUnionModel, SDXL_ADDED, ("controlnet", "sdxl", "union", "")),
        (AutoencoderKL, {}, ("vae", "sd-or-sdxl", "", "")),
        (AutoencoderKL, {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False},
         ("vae", "flux-or-sd3", "", "")),
        (AutoencoderKLQwenImage, {}, ("vae", "qwen-image", "", "")),
        (AutoencoderTiny, {}, ("vae", "sd-or-sdxl", "tiny", "")),
        (FluxTransformer2DModel, {"num_layers": 1, "num_single_layers": 1}, ("transformer", "flux", "schnell", "flow")),
        (FluxTransformer2DModel, {"num_layers": 1, "num_single_layers": 1, "guidance_embeds": True},
         ("transformer", "flux", "dev", "flow")),
        (ZImageTransformer2DModel, {"n_layers": 1, "n_refiner_layers": 1}, ("transformer", "z-image", "", "flow")),
        (QwenImageTransformer2DModel, {"num_layers": 1}, ("transformer", "qwen-image", "", "flow")),
        (SD3Transformer2DModel, {"num_layers": 1}, ("transformer", "sd3", "3-medium", "flow")),
    ],
)  # fmt: skip
def test_diffusers_own_networks_are_known(tmp_path, kind, settings, expected):
    assert told(detect(write(tmp_path / "weights.safetensors", empty(kind, **settings)))) == expected


def test_the_name_of_a_file_decides_nothing(tmp_path):
    found = detect(write(tmp_path / "sdxl-lora-turbo-inpainting.safetensors", checkpoint("sd15")))
    assert told(found) == ("base", "sd15", "", "epsilon")
    assert found.detail["name_says"] == "turbo"


def test_metadata_tells_what_tensors_can_not(tmp_path):
    path = write(
        tmp_path / "x.safetensors", checkpoint("sdxl"),
        {"modelspec.title": "Dreamy XL Lightning 4step", "modelspec.prediction_type": "v"},
    )  # fmt: skip
    found = detect(path)
    assert (found.variant, found.detail["variant_from"]) == ("lightning", "metadata")
    assert found.prediction == "v_prediction" and found.title == "Dreamy XL Lightning 4step"


def test_zero_terminal_snr_is_marked(tmp_path):
    found = detect(write(tmp_path / "x.safetensors", {**checkpoint("sdxl"), "v_pred": (0,), "ztsnr": (0,)}))
    assert found.prediction == "v_prediction" and found.detail["zero_snr"] is True


@pytest.mark.parametrize(("part", "prefix"), [("vae", "first_stage_model."), ("text_encoder", "cond_stage_model.")])
def test_what_a_checkpoint_lacks_is_said(tmp_path, part, prefix):
    shapes = {name: shape for name, shape in checkpoint("sd15").items() if not name.startswith(prefix)}
    found = detect(write(tmp_path / "x.safetensors", shapes))
    assert found.kind == "base" and found.missing == (part,)


@pytest.mark.parametrize(("spread", "expected"), [(0.2, "v_prediction"), (0.01, "epsilon")])
@pytest.mark.parametrize("dtype", ["F32", "F16"])
def test_sd2_tells_its_prediction_by_one_tensor(tmp_path, spread, expected, dtype):
    name = f"{NET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
    path = write(tmp_path / "x.safetensors", {**checkpoint("sd21"), name: (320,)}, dtype=dtype)
    values = struct.pack(f"<320{'f' if dtype == 'F32' else 'e'}", *([spread, -spread] * 160))
    with path.open("r+b") as file:
        file.seek(-len(values), 2)
        file.write(values)
    assert detect(path).prediction == expected


@pytest.mark.parametrize(
    ("dtype", "expected"), [("F32", "fp32"), ("F16", "fp16"), ("BF16", "bf16"), ("F8_E4M3", "fp8")]
)
def test_precision_is_what_most_weights_have(tmp_path, dtype, expected):
    found = detect(write(tmp_path / "x.safetensors", checkpoint("sd15"), dtype=dtype))
    assert found.precision == expected and found.bytes == (tmp_path / "x.safetensors").stat().st_size


UNET_LAYER = "down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
LORAS = [
    (kohya({f"lora_unet_{UNET_LAYER}": (768, 320)}), "sd15", "kohya"),
    (kohya({f"lora_unet_{UNET_LAYER}": (1024, 320)}), "sd21", "kohya"),
    (kohya({f"lora_unet_{UNET_LAYER}": (2048, 640)}), "sdxl", "kohya"),
    (kohya({"lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_q": (640, 640)}), "sdxl", "kohya"),
    (kohya({"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q": (320, 320)}), "sd15", "kohya"),
    (kohya({"lora_te_text_model_encoder_layers_0_mlp_fc1": (768, 3072)}), "sd15", "kohya"),
    (kohya({"lora_te2_text_model_encoder_layers_0_mlp_fc1": (1280, 5120)}), "sdxl", "kohya"),
    (kohya({"lora_unet_double_blocks_0_img_attn_qkv": (3072, 9216)}), "flux", "kohya"),
    (kohya({"lora_unet_joint_blocks_0_x_block_attn_qkv": (1536, 4608)}), "sd3", "kohya"),
    (peft({"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k": (2048, 640)}), "sdxl", "peft"),
    (peft({"transformer.single_transformer_blocks.0.attn.to_q": (3072, 3072)}), "flux", "peft"),
    (peft({"transformer.transformer_blocks.0.img_mlp.net.2": (12288, 3072)}), "qwen-image", "peft"),
    (peft({"diffusion_model.layers.0.attention.to_q": (3840, 3840)}), "z-image", "peft"),
    (peft({"transformer.transformer_blocks.0.ff_context.net.2": (6144, 1536)}), "sd3", "peft"),
    ({f"lora_unet_{UNET_LAYER}.hada_w1_a": (320, 4), f"lora_unet_{UNET_LAYER}.hada_w1_b": (4, 768)}, "sd15", "lycoris"),
    ({f"lora_unet_{UNET_LAYER}.lokr_w1": (8, 16), f"lora_unet_{UNET_LAYER}.lokr_w2": (80, 128)}, "sdxl", "lycoris"),
    (kohya({"lora_unet_something_of_another_kind": (99, 99)}), "", "kohya"),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "family", "layout"), LORAS)
def test_a_lora_tells_what_it_changes(tmp_path, shapes, family, layout):
    found = detect(write(tmp_path / "x.safetensors", shapes))
    assert (found.kind, found.family, found.detail["layout"]) == ("lora", family, layout)


def test_a_lora_has_its_rank_and_its_trigger(tmp_path):
    shapes = kohya(
        {f"lora_unet_{UNET_LAYER}": (2048, 640), "lora_te1_text_model_encoder_layers_0_mlp_fc1": (768, 3072)}, 4
    )
    found = detect(write(tmp_path / "x.safetensors", shapes, {"modelspec.trigger_phrase": "in my style"}))
    assert found.detail["rank"] == 4 and found.detail["text_encoder"] and found.detail["trigger"] == "in my style"


def test_additions_fit_their_own_family_alone(tmp_path):
    lora = detect(write(tmp_path / "lora.safetensors", LORAS[0][0]))
    vae = detect(write(tmp_path / "vae.safetensors", LDM_VAE))
    assert fits(lora, "sd15") and not fits(lora, "sdxl")
    assert fits(vae, "sd15") and fits(vae, "sdxl") and not fits(vae, "flux")


def test_what_was_found_survives_json(tmp_path):
    found = detect(write(tmp_path / "x.safetensors", {**checkpoint("sdxl"), "ztsnr": (0,)}))
    assert Found.from_dict(found.to_dict()) == found
    with pytest.raises(ValueError, match="no kind of model"):
        Found.from_dict({**found.to_dict(), "kind": "toaster"})
