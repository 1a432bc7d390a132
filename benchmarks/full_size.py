"""A full-size SDXL of random weights in bfloat16, in diffusers' layout: what memory and speed are measured with.

Made part by part and without a float32 copy, so that making it takes no more memory than its largest part.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from scumble_core.models.checkpoints.vocabulary import clip_tokenizer

DTYPE = torch.bfloat16
# So that sums over any layer keep about the size of what goes in: random networks must not overflow.
_GAIN = 0.6


def _unet() -> Any:
    return UNet2DConditionModel(
        sample_size=128, in_channels=4, out_channels=4, block_out_channels=(320, 640, 1280), layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10), attention_head_dim=(5, 10, 20), cross_attention_dim=2048,
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )  # fmt: skip


def _vae() -> Any:
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=4, sample_size=1024,
        scaling_factor=0.13025, force_upcast=True,
    )  # fmt: skip


def _small_clip() -> Any:
    return CLIPTextModel(_clip_config(768, 12, 12, 768, "quick_gelu"))


def _large_clip() -> Any:
    return CLIPTextModelWithProjection(_clip_config(1280, 32, 20, 1280, "gelu"))


def _clip_config(width: int, layers: int, heads: int, projection: int, activation: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=49408, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, projection_dim=projection, hidden_act=activation, bos_token_id=49406,
        eos_token_id=49407, pad_token_id=49407,
    )  # fmt: skip


_PARTS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {"unet": _unet, "vae": _vae, "text_encoder": _small_clip, "text_encoder_2": _large_clip}
)


def save_full_sdxl(folder: Path) -> Path:
    """About 7 GB. Nothing is done where it lies already."""
    if (folder / "model_index.json").exists():
        return folder
    classes: dict[str, list[str]] = {}
    for name, make in _PARTS.items():
        module = filled(make)
        classes[name] = [type(module).__module__.partition(".")[0], type(module).__name__]
        module.save_pretrained(folder / name, safe_serialization=True)
        del module
        gc.collect()
    for name, kind in (("tokenizer", "clip"), ("tokenizer_2", "clip-zero")):
        clip_tokenizer(kind).save_pretrained(folder / name)
        classes[name] = ["transformers", "CLIPTokenizer"]
    EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").save_pretrained(
        folder / "scheduler"
    )
    classes["scheduler"] = ["diffusers", "EulerDiscreteScheduler"]
    index = {"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.32.0", **classes}
    (folder / "model_index.json").write_text(json.dumps(index, indent=1), "utf-8")
    return folder


def filled(make: Callable[[], Any], seed: int = 0) -> Any:
    """The module with uniform weights, made in place in bfloat16."""
    with init_empty_weights(include_buffers=False):
        module = make()
    module.to(DTYPE)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in list(module.named_parameters()):
        owner = module.get_submodule(name.rpartition(".")[0])
        values = torch.empty(parameter.shape, dtype=DTYPE)
        if parameter.dim() > 1:
            bound = _GAIN * (3 / parameter[0].numel()) ** 0.5
            values.uniform_(-bound, bound, generator=generator)
        else:
            values.fill_(1.0 if name.endswith("weight") else 0.0)
        setattr(owner, name.rpartition(".")[2], torch.nn.Parameter(values, requires_grad=False))
    return module.eval()
