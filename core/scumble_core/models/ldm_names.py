"""A UNet's layers as the first SD code names them, in diffusers' words: both are paths, written with underscores."""

import re

_INSIDE_RESNET = (
    ("in_layers_0", "norm1"), ("in_layers_2", "conv1"), ("emb_layers_1", "time_emb_proj"), ("out_layers_0", "norm2"),
    ("out_layers_3", "conv2"), ("skip_connection", "conv_shortcut"),
)  # fmt: skip
_AROUND = (
    ("time_embed_0", "time_embedding_linear_1"), ("time_embed_2", "time_embedding_linear_2"),
    ("label_emb_0_0", "add_embedding_linear_1"), ("label_emb_0_2", "add_embedding_linear_2"),
    ("input_blocks_0_0", "conv_in"), ("out_0", "conv_norm_out"), ("out_2", "conv_out"),
)  # fmt: skip
_BLOCK = re.compile(r"(?P<side>input_blocks|output_blocks)_(?P<block>\d+)_(?P<layer>\d+)_(?P<rest>.+)")


def from_ldm(name: str, layers_per_block: int) -> str:
    """A UNet's layer as the first SD code names it, in diffusers' words; other names as they are."""
    for theirs, ours in _AROUND:
        if name == theirs:
            return ours
    for theirs, ours in (("middle_block_0_", "resnets_0_"), ("middle_block_1_", "attentions_0_"),
                         ("middle_block_2_", "resnets_1_")):  # fmt: skip
        if name.startswith(theirs):
            return f"mid_block_{ours}{_inside(name.removeprefix(theirs))}"
    match = _BLOCK.fullmatch(name)
    if match is None:
        return name
    number, layer, rest = int(match["block"]), int(match["layer"]), match["rest"]
    period = layers_per_block + 1
    if match["side"] == "input_blocks":
        block, place = divmod(number - 1, period)
        if rest == "op":
            return f"down_blocks_{block}_downsamplers_0_conv"
        return f"down_blocks_{block}_{_kind(layer)}_{place}_{_inside(rest)}"
    block, place = divmod(number, period)
    if rest == "conv":
        return f"up_blocks_{block}_upsamplers_0_conv"
    return f"up_blocks_{block}_{_kind(layer)}_{place}_{_inside(rest)}"


def _kind(layer: int) -> str:
    return "resnets" if layer == 0 else "attentions"


def _inside(rest: str) -> str:
    return next((ours for theirs, ours in _INSIDE_RESNET if rest == theirs), rest)
