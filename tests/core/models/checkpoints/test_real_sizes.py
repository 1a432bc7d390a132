"""The published models' sizes are read from their tensors' shapes: built without content, read, and built again."""

import pytest
import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, UNet2DConditionModel, ZImageTransformer2DModel
from tests.core.models.tiny_exports import (
    clip_as_kept,
    clip_as_open_clip,
    flux_as_published,
    unet_as_ldm,
    vae_as_ldm,
    z_image_as_published,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from scumble_core.models.checkpoints.autoencoder import read_autoencoder
from scumble_core.models.checkpoints.flow import read_flux, read_z_image
from scumble_core.models.checkpoints.single_file import configuration
from scumble_core.models.checkpoints.text import read_clip, read_open_clip
from scumble_core.models.checkpoints.unet import read_unet

_CROSS, _PLAIN = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D"), ("DownBlock2D", "UpBlock2D")
# As their makers' configurations say.
UNETS = {
    "sd15": ((320, 640, 1280, 1280), "CCCP", 1, 8, 768, 0),
    "sd21": ((320, 640, 1280, 1280), "CCCP", 1, (5, 10, 20, 20), 1024, 0),
    "sdxl": ((320, 640, 1280), "PCC", (1, 2, 10), (5, 10, 20), 2048, 2816),
    "sdxl-refiner": ((384, 768, 1536, 1536), "PCCP", 4, (6, 12, 24, 24), 1280, 2560),
}


def unet(family):
    channels, levels, depths, heads, text, added = UNETS[family]
    kinds = [_CROSS if level == "C" else _PLAIN for level in levels]
    extra = {}
    if added:
        extra = {
            "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": added,
        }  # fmt: skip
    return UNet2DConditionModel(
        block_out_channels=channels, down_block_types=tuple(down for down, _ in kinds),
        up_block_types=tuple(up for _, up in reversed(kinds)), layers_per_block=2,
        transformer_layers_per_block=depths, attention_head_dim=heads, cross_attention_dim=text,
        use_linear_projection=family != "sd15", **extra,
    )  # fmt: skip


def heads(module):
    """What shapes don't show: the heads of each attention."""
    return {name: part.heads for name, part in module.named_modules() if hasattr(part, "heads")}


def shapes(module):
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def test_the_published_sizes_are_large():
    with torch.device("meta"):
        assert sum(each.numel() for each in unet("sdxl").parameters()) == 2_567_463_684


@pytest.mark.parametrize("family", sorted(UNETS))
@pytest.mark.parametrize("layout", ["ldm", "diffusers"])
def test_unets(family, layout):
    with torch.device("meta"):
        published = unet(family)
        tensors = unet_as_ldm(published) if layout == "ldm" else dict(published.state_dict())
        read = read_unet(tensors, configuration(f"{family}/unet.json"))
        module = read.make()
    assert shapes(module) == shapes(published) == {name: tuple(each.shape) for name, each in read.tensors.items()}
    assert heads(module) == heads(published)
    assert module.config.addition_time_embed_dim == published.config.addition_time_embed_dim


@pytest.mark.parametrize("family", ["sdxl", "flux"])
def test_autoencoders(family):
    with torch.device("meta"):
        flow = family == "flux"
        published = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=16 if flow else 4,
            use_quant_conv=not flow, use_post_quant_conv=not flow,
        )  # fmt: skip
        read = read_autoencoder(vae_as_ldm(published), configuration(f"{family}/vae.json"))
        module = read.make()
    assert shapes(module) == shapes(published) == {name: tuple(each.shape) for name, each in read.tensors.items()}
    scale, shift = (0.3611, 0.1159) if flow else (0.13025, None)
    assert (module.config.scaling_factor, module.config.shift_factor) == (scale, shift)
    assert module.config.force_upcast


@pytest.mark.parametrize(
    ("file", "width", "layers", "attends", "projected", "spare"),
    [
        ("sd15/text_encoder.json", 768, 12, 12, False, 0),
        ("sd21/text_encoder.json", 1024, 23, 16, False, 1),
        ("sdxl/text_encoder_2.json", 1280, 32, 20, True, 0),
    ],
)
def test_text_encoders(file, width, layers, attends, projected, spare):
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    with torch.device("meta"):
        published = kind(
            CLIPTextConfig(
                vocab_size=49408, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
                num_attention_heads=attends, projection_dim=width,
            )
        )  # fmt: skip
        fixed = configuration(file)
        if file.startswith("sd15"):
            read = read_clip(clip_as_kept(published), fixed)
        else:
            read = read_open_clip(clip_as_open_clip(published, spare), fixed)
        module = read.make()
    assert shapes(module) == shapes(published)
    assert module.config.num_attention_heads == attends
    assert module.config.hidden_act == ("quick_gelu" if file.startswith("sd15") else "gelu")


def test_flow_transformers():
    with torch.device("meta"):
        flux = FluxTransformer2DModel(guidance_embeds=True)
        again = read_flux(flux_as_published(flux), configuration("flux/transformer.json")).make()
        image = ZImageTransformer2DModel()
        other = read_z_image(z_image_as_published(image), configuration("z-image/transformer.json")).make()
    assert shapes(again) == shapes(flux)
    assert {name: again.config[name] for name in ("axes_dims_rope", "num_attention_heads")} == {
        "axes_dims_rope": [16, 56, 56], "num_attention_heads": 24,
    }  # fmt: skip
    assert shapes(other) == shapes(image)
    assert (other.config.n_heads, other.config.axes_dims) == (30, [32, 48, 48])
