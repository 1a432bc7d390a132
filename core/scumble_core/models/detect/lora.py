"""LoRA and its kin (LoHa, LoKr, DoRA), in kohya's, diffusers' or peft's layout; the family by what they change.

A LoRA is small matrices beside a network's own; those have the widths of that network, and stand under its names.
"""

import re
from collections.abc import Iterator

from scumble_core.models.detect.found import Scalar, Traits
from scumble_core.models.detect.unet import FAMILY_OF_TEXT
from scumble_core.models.tensors import Tensors

_DOWN = (
    ".lora_down.weight", ".lora_A.weight", ".lora.down.weight", "_lora.down.weight", ".lora_A.default.weight",
    ".hada_w1_b", ".lora_linear_layer.down.weight",
)  # fmt: skip
_LYCORIS = (".hada_w1_a", ".lokr_w1", ".lokr_w1_a")
_TEXT = re.compile(r"^(lora_te|text_encoder|te1|te2)")
# Where SD 1 and 2 attend, and SDXL does not.
_OUTER = re.compile(r"down_blocks_0_attentions|up_blocks_3_attentions|input_blocks_[12]_1_|output_blocks_(9|10|11)_1_")
_UNET = re.compile(r"(down|up)_blocks_\d|mid_block_|(input|output)_blocks_\d|middle_block_")
_LATER_BLOCK = re.compile(r"(attentions_\d+|blocks_\d+_1|middle_block_1)_transformer_blocks_[1-9]")
_Z_IMAGE = re.compile(r"(layers|noise_refiner|context_refiner)_\d+_(attention_(to_|qkv|out)|feed_forward_w\d)")


def lora_traits(tensors: Tensors) -> Traits | None:
    """None if it is none."""
    widths = dict(_changed(tensors))
    if not widths:
        return None
    text = any(_TEXT.match(name) for name in widths)
    rank = next((min(each.shape) for name, each in tensors.named.items() if name.endswith(_DOWN) and each.shape), 0)
    detail: dict[str, Scalar] = {"layout": _layout(tensors), "text_encoder": text}
    if rank:
        detail["rank"] = rank
    trigger = tensors.metadata.get("modelspec.trigger_phrase")
    if trigger:
        detail["trigger"] = trigger[:200]
    return Traits("lora", _family(widths, tensors), "", "", detail)


def _changed(tensors: Tensors) -> Iterator[tuple[str, int]]:
    """Each changed layer by its name with underscores for dots, and the width of its input."""
    for name, tensor in tensors.named.items():
        for ending in _DOWN:
            if name.endswith(ending) and len(tensor.shape) >= 2:
                yield name.removesuffix(ending).replace(".", "_"), tensor.shape[1]
        if name.endswith((".lokr_w1", ".lokr_w1_b")):
            layer = name.rpartition(".")[0]
            inner = tensors.size(f"{layer}.lokr_w2", 1) or tensors.size(f"{layer}.lokr_w2_b", 1)
            yield layer.replace(".", "_"), tensor.shape[-1] * inner if tensor.shape else 0


def _layout(tensors: Tensors) -> str:
    names = tensors.named
    if any(name.endswith(_LYCORIS) for name in names):
        return "lycoris"
    if any(name.startswith(("lora_unet_", "lora_te", "lora_transformer_")) for name in names):
        return "kohya"
    return "peft" if any(".lora_A." in name for name in names) else "diffusers"


def _family(widths: dict[str, int], tensors: Tensors) -> str:
    every = " ".join(name for name in widths if not _TEXT.match(name))
    if re.search(r"double_blocks_\d|single_blocks_\d|single_transformer_blocks_\d", every):
        # Flux 2's blocks go by the same names, and are wider.
        wide = max(
            (width for name, width in widths.items() if "img_attn_qkv" in name or "attn_to_q" in name), default=0
        )
        return "" if wide in (4096, 6144) else "flux"
    if _Z_IMAGE.search(every):
        return "z-image"
    if re.search(r"(img|txt)_(mlp|mod)", every):
        return "qwen-image"
    if re.search(r"joint_blocks_\d|ff_context|attn_add_[qkv]_proj", every):
        heights = {width for name, width in widths.items() if "attn" in name}
        return "qwen-image" if heights & {3072} else "sd3"
    if _UNET.search(every):
        return _unet_family(widths, tensors)
    return _text_family(widths) or _told(tensors)


def _unet_family(widths: dict[str, int], tensors: Tensors) -> str:
    text = {width for name, width in widths.items() if name.endswith(("attn2_to_k", "attn2_to_v"))}
    for width in sorted(text, reverse=True):
        if width in FAMILY_OF_TEXT:
            return FAMILY_OF_TEXT[width]
    names = " ".join(widths)
    if _LATER_BLOCK.search(names) or re.search(r"lora_te[12]_|text_encoder_2", names):
        return "sdxl"
    if _OUTER.search(names):
        flat = any(
            "proj_in" in name and name.endswith(_DOWN) and len(each.shape) == 2 for name, each in tensors.named.items()
        )
        return "sd21" if flat else "sd15"
    return _told(tensors)


def _text_family(widths: dict[str, int]) -> str:
    if any(name.startswith(("lora_te2_", "text_encoder_2", "lora_te1_")) for name in widths):
        return "sdxl"
    found = {width for name, width in widths.items() if name.startswith(("lora_te_", "text_encoder"))}
    return next((family for width, family in ((768, "sd15"), (1024, "sd21")) if width in found), "")


def _told(tensors: Tensors) -> str:
    """What the trainer wrote into the file, where the layers don't tell."""
    told = " ".join(
        tensors.metadata.get(key, "").lower() for key in ("ss_base_model_version", "modelspec.architecture")
    )
    marks = {
        "refiner": "sdxl-refiner", "xl": "sdxl", "flux": "flux", "sd3": "sd3", "qwen": "qwen-image",
        "z-image": "z-image", "zimage": "z-image", "v2": "sd21", "v1": "sd15",
    }  # fmt: skip
    return next((family for mark, family in marks.items() if mark in told), "")
