"""Flow transformers in their makers' layouts or diffusers': Flux and Z-Image."""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import FluxTransformer2DModel, ZImageTransformer2DModel
from diffusers.loaders.single_file_utils import convert_z_image_transformer_checkpoint_to_diffusers
from torch import Tensor

from scumble_core.models.checkpoints.recipe import Recipe, counted

# Flux's own names and diffusers'. Of those that are split or swapped, more below.
_AROUND = {
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "txt_in": "context_embedder", "img_in": "x_embedder", "final_layer.linear": "proj_out",
}  # fmt: skip
_DOUBLE = {
    "img_mod.lin": "norm1.linear", "txt_mod.lin": "norm1_context.linear", "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out", "img_mlp.0": "ff.net.0.proj", "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj", "txt_mlp.2": "ff_context.net.2", "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k", "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
}  # fmt: skip
_SINGLE = {
    "modulation.lin": "norm.linear", "norm.query_norm": "attn.norm_q", "norm.key_norm": "attn.norm_k",
    "linear2": "proj_out",
}  # fmt: skip
_FUSED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}


def read_flux(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """`fixed`: the split of its places among the axes."""
    if "double_blocks.0.img_attn.qkv.weight" in tensors:
        tensors = _flux_converted(tensors)
    first = tensors["x_embedder.weight"].shape
    width = tensors["transformer_blocks.0.attn.norm_q.weight"].shape[0]
    config = {
        **fixed,
        "in_channels": first[1],
        "out_channels": tensors["proj_out.weight"].shape[0],
        "num_layers": counted(tensors, "transformer_blocks."),
        "num_single_layers": counted(tensors, "single_transformer_blocks."),
        "attention_head_dim": width,
        "num_attention_heads": first[0] // width,
        "joint_attention_dim": tensors["context_embedder.weight"].shape[1],
        "pooled_projection_dim": tensors["time_text_embed.text_embedder.linear_1.weight"].shape[1],
        "guidance_embeds": "time_text_embed.guidance_embedder.linear_1.weight" in tensors,
    }
    if width != sum(config["axes_dims_rope"]):
        config["axes_dims_rope"] = (width // 8 * 2, width // 8 * 3, width // 8 * 3)
    return Recipe(lambda: FluxTransformer2DModel.from_config(config), tensors)


def _flux_converted(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    width = tensors["img_in.weight"].shape[0]
    converted: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        group, _, rest = layer.partition(".")
        if group in ("double_blocks", "single_blocks"):
            number, _, inner = rest.partition(".")
            block = f"{'single_' if group == 'single_blocks' else ''}transformer_blocks.{number}."
            converted.update(_flux_block(block, inner, "weight" if kind == "scale" else kind, tensor, width))
        elif layer == "final_layer.adaLN_modulation.1":
            # diffusers has scale before shift there.
            shift, scale = tensor.chunk(2)
            converted[f"norm_out.linear.{kind}"] = torch.cat([scale, shift])
        else:
            converted[f"{_AROUND.get(layer, layer)}.{kind}"] = tensor
    return converted


def _flux_block(block: str, inner: str, kind: str, tensor: Tensor, width: int) -> dict[str, Tensor]:
    names: tuple[str, ...]
    if inner in _FUSED:
        names, parts = _FUSED[inner], tensor.chunk(3)
    elif inner == "linear1":
        names = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
        parts = tensor.tensor_split((width, 2 * width, 3 * width))
    else:
        known = _SINGLE if block.startswith("single") else _DOUBLE
        return {f"{block}{known.get(inner, inner)}.{kind}": tensor}
    return {f"{block}{name}.{kind}": part for name, part in zip(names, parts, strict=True)}


def read_z_image(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """`fixed`: the axes' lengths, and a step of its places; a head's width is that of its norm."""
    if "layers.0.attention.to_q.weight" not in tensors:
        tensors = convert_z_image_transformer_checkpoint_to_diffusers(dict(tensors))
    width = tensors["layers.0.attention.norm_q.weight"].shape[0]
    first = tensors["all_x_embedder.2-1.weight"].shape
    config = {
        **fixed,
        "in_channels": first[1] // 4,
        "dim": first[0],
        "n_layers": counted(tensors, "layers."),
        "n_refiner_layers": counted(tensors, "noise_refiner."),
        "n_heads": first[0] // width,
        "n_kv_heads": tensors["layers.0.attention.to_k.weight"].shape[0] // width,
        "cap_feat_dim": tensors["cap_embedder.0.weight"].shape[0],
    }
    if width != sum(config["axes_dims"]):
        config["axes_dims"] = [width // 8 * 2, width // 8 * 3, width // 8 * 3]
    return Recipe(lambda: ZImageTransformer2DModel.from_config(config), tensors)
