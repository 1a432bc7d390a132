"""Weights files with the names and shapes of real ones, and nothing in them: sparse, so that they cost no disk."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

Shapes = Mapping[str, tuple[int, ...]]
_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1}


def write(path: Path, shapes: Shapes, metadata: Mapping[str, str] | None = None, dtype: str = "F16") -> Path:
    """A .safetensors file of zeros."""
    place, head = 0, {}
    if metadata:
        head["__metadata__"] = dict(metadata)
    for name, shape in shapes.items():
        end = place + math.prod(shape) * _BYTES[dtype]
        head[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    data = json.dumps(head).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(data).to_bytes(8, "little") + data)
        file.truncate(8 + len(data) + place)
    return path


def under(prefix: str, shapes: Shapes) -> dict[str, tuple[int, ...]]:
    return {f"{prefix}{name}": shape for name, shape in shapes.items()}


def ldm_unet(text: int, channels: int = 4, added: int = 0, flat: bool = False) -> dict[str, tuple[int, ...]]:
    """The marks of a UNet in its own layout: SD 1 (text 768), SD 2 (1024), SDXL (2048), its refiner (1280)."""
    width = 384 if text == 1280 else 320
    block = "input_blocks.4.1"
    shapes = {
        "time_embed.0.weight": (4 * width, width), "input_blocks.0.0.weight": (width, channels, 3, 3),
        f"{block}.proj_in.weight": (2 * width, 2 * width) if flat or added else (2 * width, 2 * width, 1, 1),
        f"{block}.transformer_blocks.0.attn2.to_k.weight": (2 * width, text),
        "output_blocks.0.0.in_layers.2.weight": (4 * width, 8 * width, 3, 3), "out.2.weight": (4, width, 3, 3),
    }  # fmt: skip
    if added:
        shapes["label_emb.0.0.weight"] = (4 * width, added)
    return shapes


LDM_VAE = {
    "encoder.conv_in.weight": (128, 3, 3, 3), "encoder.mid.block_1.conv1.weight": (512, 512, 3, 3),
    "decoder.conv_in.weight": (512, 4, 3, 3), "decoder.mid.block_1.conv1.weight": (512, 512, 3, 3),
}  # fmt: skip
CLIP_L = {"text_model.embeddings.token_embedding.weight": (49408, 768)}
OPEN_CLIP = {"token_embedding.weight": (49408, 1280), "transformer.resblocks.9.mlp.c_proj.bias": (1280,)}


def checkpoint(family: str, channels: int = 4) -> dict[str, tuple[int, ...]]:
    """A whole LDM checkpoint: network, encoders, autoencoder."""
    nets = {
        "sd15": ldm_unet(768, channels), "sd21": ldm_unet(1024, channels, flat=True),
        "sdxl": ldm_unet(2048, channels, 2816), "sdxl-refiner": ldm_unet(1280, channels, 2560),
    }  # fmt: skip
    encoders = {
        "sd15": under("cond_stage_model.transformer.", CLIP_L),
        "sd21": under("cond_stage_model.model.", {"token_embedding.weight": (49408, 1024)}),
        "sdxl": {
            **under("conditioner.embedders.0.transformer.", CLIP_L),
            **under("conditioner.embedders.1.model.", OPEN_CLIP),
        },
        "sdxl-refiner": under("conditioner.embedders.0.model.", OPEN_CLIP),
    }  # fmt: skip
    return {
        **under("model.diffusion_model.", nets[family]), **encoders[family], **under("first_stage_model.", LDM_VAE),
    }  # fmt: skip


FLUX = {
    "img_in.weight": (3072, 64), "txt_in.weight": (3072, 4096),
    "double_blocks.0.img_attn.qkv.weight": (9216, 3072), "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
    "single_blocks.0.linear1.weight": (21504, 3072), "final_layer.linear.weight": (64, 3072),
}  # fmt: skip
FLUX_DEV = {**FLUX, "guidance_in.in_layer.weight": (3072, 256)}
Z_IMAGE = {
    "x_embedder.weight": (3840, 64), "cap_embedder.0.weight": (2560,), "cap_embedder.1.weight": (3840, 2560),
    "noise_refiner.0.attention.qkv.weight": (11520, 3840), "layers.0.attention.qkv.weight": (11520, 3840),
    "layers.0.adaLN_modulation.0.weight": (15360, 256), "final_layer.linear.weight": (64, 3840),
}  # fmt: skip
SD3 = {
    "x_embedder.proj.weight": (1536, 16, 2, 2), "pos_embed": (1, 36864, 1536),
    "joint_blocks.0.context_block.adaLN_modulation.1.weight": (9216, 1536),
    "joint_blocks.0.x_block.attn.qkv.weight": (4608, 1536),
}  # fmt: skip


def kohya(layers: Mapping[str, tuple[int, int]], rank: int = 16) -> dict[str, tuple[int, ...]]:
    """A LoRA in kohya's layout, for layers of (inputs, outputs)."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (inputs, outputs) in layers.items():
        shapes |= {
            f"{name}.lora_down.weight": (rank, inputs), f"{name}.lora_up.weight": (outputs, rank), f"{name}.alpha": (),
        }  # fmt: skip
    return shapes


def peft(layers: Mapping[str, tuple[int, int]], rank: int = 16) -> dict[str, tuple[int, ...]]:
    """The same in diffusers' layout of today."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (inputs, outputs) in layers.items():
        shapes |= {f"{name}.lora_A.weight": (rank, inputs), f"{name}.lora_B.weight": (outputs, rank)}
    return shapes
