"""Which layer of which part a name in a LoRA's file means.

Trainers write a layer's path with dots or underscores, as diffusers names it or as the first SD code does, behind one
of several prefixes. All are brought to one form: diffusers' path with underscores.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The parts of a pipeline by the prefixes that stand for them; the longest first.
_PREFIXES = (
    ("lora_unet_", "network"), ("lora_transformer_", "network"), ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"), ("lora_te_", "text_encoder"), ("text_encoder_2_", "text_encoder_2"),
    ("text_encoder_", "text_encoder"), ("unet_", "network"), ("transformer_", "network"),
    ("diffusion_model_", "network"),
)  # fmt: skip
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


@dataclass(frozen=True, eq=False)
class Layers:
    """The layers of a pipeline that can be changed. `parts`: "network", "text_encoder", "text_encoder_2", as loaded."""

    parts: Mapping[str, Any]

    def __post_init__(self) -> None:
        named = {
            part: {_flat(path): module for path, module in root.named_modules() if hasattr(module, "weight")}
            for part, root in self.parts.items()
        }
        object.__setattr__(self, "_named", named)

    def find(self, name: str) -> Any | None:
        """The module that a name in a file means; None if there is none."""
        part, rest = split(name)
        named: Mapping[str, Any] = self._named.get(part, {})  # type: ignore[attr-defined]
        if rest in named or part != "network":
            return named.get(rest)
        return named.get(from_ldm(rest, getattr(self.parts["network"].config, "layers_per_block", 2)))


def split(name: str) -> tuple[str, str]:
    """The part, and the layer's path in it with underscores."""
    flat = _flat(name.removeprefix("base_model.model."))
    for prefix, part in _PREFIXES:
        if flat.startswith(prefix):
            return part, _flat(flat.removeprefix(prefix))
    return "network", flat


def _flat(path: str) -> str:
    """With underscores for dots, without what only some versions of a library write."""
    flat = path.replace(".", "_").removeprefix("text_model_")
    flat = flat.replace("_processor_to_", "_to_")
    return f"{flat}_0" if flat.endswith("_to_out") else flat


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


def parts_of(pipe: Any) -> Mapping[str, Any]:
    """A loaded pipeline's parts by the names used here."""
    found = {"network": getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)}
    found |= {name: getattr(pipe, name, None) for name in ("text_encoder", "text_encoder_2")}
    return {name: part for name, part in found.items() if part is not None}
