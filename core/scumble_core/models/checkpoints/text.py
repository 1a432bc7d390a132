"""Text encoders: CLIP in OpenAI's and OpenCLIP's layouts, T5 and Qwen 3 in their makers'."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
)

from scumble_core.models.checkpoints.recipe import Recipe, counted

_HEAD_WIDTH = 64
_LAYERS = "text_model.encoder.layers."
# OpenCLIP's names, from a block's own on, and transformers'.
_BLOCK = {
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}  # fmt: skip
_AROUND = {
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
}


def read_clip(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """As OpenAI's models are kept; with a projection where the file has one."""
    whole = {name if name.startswith("text_") else f"text_model.{name}": each for name, each in tensors.items()}
    whole = {name: each for name, each in whole.items() if name.startswith(("text_model.", "text_projection."))}
    return _clip(whole, fixed)


def read_open_clip(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """`fixed`: `skipped` layers at the end that the family was trained without, `projected`: whether it uses that."""
    settings = dict(fixed)
    projected, skipped = settings.pop("projected", False), settings.pop("skipped", 0)
    layers = counted(tensors, "transformer.resblocks.") - skipped
    converted = {new: tensors[old] for old, new in _AROUND.items() if old in tensors}
    if projected:
        converted["text_projection.weight"] = tensors["text_projection"].T.contiguous()
    for name, tensor in tensors.items():
        if not name.startswith("transformer.resblocks."):
            continue
        number, _, inner = name.removeprefix("transformer.resblocks.").partition(".")
        if int(number) < layers:
            converted.update(_of_block(f"{_LAYERS}{number}.", inner, tensor))
    return _clip(converted, settings)


def _of_block(block: str, inner: str, tensor: Tensor) -> dict[str, Tensor]:
    if inner.startswith("attn.in_proj_"):
        kind = inner.removeprefix("attn.in_proj_")
        parts = zip("qkv", tensor.chunk(3), strict=True)
        return {f"{block}self_attn.{letter}_proj.{kind}": part.contiguous() for letter, part in parts}
    layer, _, kind = inner.rpartition(".")
    return {f"{block}{_BLOCK.get(layer, layer)}.{kind}": tensor}


def _clip(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    vocabulary, width = tensors["text_model.embeddings.token_embedding.weight"].shape
    projection = tensors.get("text_projection.weight")
    config = CLIPTextConfig(
        **{
            "vocab_size": vocabulary,
            "hidden_size": width,
            "intermediate_size": tensors[f"{_LAYERS}0.mlp.fc1.weight"].shape[0],
            "num_hidden_layers": counted(tensors, _LAYERS),
            "num_attention_heads": max(1, width // _HEAD_WIDTH),
            "max_position_embeddings": tensors["text_model.embeddings.position_embedding.weight"].shape[0],
            "projection_dim": width if projection is None else projection.shape[0],
            **fixed,
        }
    )
    kind = CLIPTextModel if projection is None else CLIPTextModelWithProjection
    return Recipe(lambda: kind(config), tensors)


def read_t5(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """The encoder of T5 1.1; `fixed` has `d_kv`, the width of a head."""
    tensors = {name: each for name, each in tensors.items() if name.startswith(("shared.", "encoder."))}
    shared = tensors.get("shared.weight", tensors.get("encoder.embed_tokens.weight"))
    if shared is None:
        raise KeyError("shared.weight")
    tensors = {**tensors, "shared.weight": shared, "encoder.embed_tokens.weight": shared}
    query = tensors["encoder.block.0.layer.0.SelfAttention.q.weight"]
    config = T5Config(
        **fixed,
        vocab_size=shared.shape[0],
        d_model=shared.shape[1],
        d_ff=tensors["encoder.block.0.layer.1.DenseReluDense.wi_0.weight"].shape[0],
        num_layers=counted(tensors, "encoder.block."),
        num_heads=query.shape[0] // fixed["d_kv"],
    )
    return Recipe(lambda: T5EncoderModel(config), tensors)


def read_qwen3(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """Without its head, which no picture needs; a head's width is that of its norm."""
    tensors = {name.removeprefix("model."): each for name, each in tensors.items() if not name.startswith("lm_head")}
    width = tensors["layers.0.self_attn.q_norm.weight"].shape[0]
    config = Qwen3Config(
        **fixed,
        vocab_size=tensors["embed_tokens.weight"].shape[0],
        hidden_size=tensors["embed_tokens.weight"].shape[1],
        intermediate_size=tensors["layers.0.mlp.gate_proj.weight"].shape[0],
        num_hidden_layers=counted(tensors, "layers."),
        num_attention_heads=tensors["layers.0.self_attn.q_proj.weight"].shape[0] // width,
        num_key_value_heads=tensors["layers.0.self_attn.k_proj.weight"].shape[0] // width,
        head_dim=width,
    )
    return Recipe(lambda: Qwen3Model(config), tensors)
