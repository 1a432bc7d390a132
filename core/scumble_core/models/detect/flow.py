"""Flow-matching transformers: Flux, Z-Image, Qwen-Image and SD 3, in their own layout or diffusers'.

Facts: names and shapes in the public code of diffusers (`loaders/single_file_utils.py` and the models themselves).
"""

from dataclasses import replace

from scumble_core.models.detect.found import Scalar, Traits
from scumble_core.models.tensors import Tensors

PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.", "")
_FLUX_VARIANT_OF_CHANNELS = {64: "", 384: "fill", 128: "control"}
# Transformers that other programs know. One tensor of each.
_OTHERS = {
    "head.modulation": "Wan", "txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.bias": "Hunyuan",
    "double_stream_blocks.0.block.adaLN_modulation.1.bias": "HiDream", "double_layers.0.attn.w1q.weight": "AuraFlow",
    "cond_seq_linear.weight": "AuraFlow", "patchify_proj.weight": "LTX", "clip_txt_mapper.weight": "Stable Cascade",
    "single_stream_modulation.lin.weight": "Flux 2", "double_stream_modulation_img.lin.weight": "Flux 2",
    "early_stream_modulations.image.lin.weight": "Flux 3", "blocks.0.attn.qkv_x.weight": "Mochi",
    "blocks.0.cross_attn.q_linear.weight": "Sana", "distilled_guidance_layer.in_proj.bias": "Chroma",
    "txtfusion.projector.weight": "Krea 2", "layers.0.adaLN_modulation.1.weight": "Lumina 2",
    "txt_in.text_norm.weight": "Qwen-Image 2",
}  # fmt: skip


def flow_traits(tensors: Tensors) -> Traits | None:
    """A transformer alone, or with its encoders and autoencoder in one file; None if it is none."""
    for prefix in PREFIXES:
        net = tensors.within(prefix) if prefix else tensors
        if net.named and (found := _traits(net)) is not None:
            return _whole(tensors, found) if prefix and found.kind == "transformer" else found
    return None


def _traits(net: Tensors) -> Traits | None:
    for mark, title in _OTHERS.items():
        if mark in net:
            return Traits("unknown", detail={"holds": title})
    return _flux(net) or _z_image(net) or _qwen_image(net) or _sd3(net)


def _flux(net: Tensors) -> Traits | None:
    own = "double_blocks.0.img_attn.qkv.weight" in net and "img_in.weight" in net
    theirs = "single_transformer_blocks.0.attn.to_q.weight" in net and "context_embedder.weight" in net
    if not own and not theirs:
        return None
    guided = "guidance_in.in_layer.weight" in net or "time_text_embed.guidance_embedder.linear_1.weight" in net
    channels = net.size("img_in.weight" if own else "x_embedder.weight", 1)
    variant = _FLUX_VARIANT_OF_CHANNELS.get(channels, "") or ("dev" if guided else "schnell")
    detail: dict[str, Scalar] = {
        "layout": "bfl" if own else "diffusers",
        "channels": channels,
        "variant_from": "tensors",
    }
    return Traits("transformer", "flux", variant, "flow", detail)


def _z_image(net: Tensors) -> Traits | None:
    if "cap_embedder.1.weight" not in net or "layers.0.adaLN_modulation.0.weight" not in net:
        return None
    layout = "diffusers" if "layers.0.attention.to_q.weight" in net else "original"
    return Traits("transformer", "z-image", "", "flow", {"layout": layout})


def _qwen_image(net: Tensors) -> Traits | None:
    if "txt_norm.weight" not in net or "transformer_blocks.0.img_mod.1.weight" not in net:
        return None
    return Traits("transformer", "qwen-image", "", "flow", {"layout": "diffusers"})


def _sd3(net: Tensors) -> Traits | None:
    own = "joint_blocks.0.context_block.adaLN_modulation.1.weight" in net
    theirs = "transformer_blocks.0.attn.add_q_proj.weight" in net and "pos_embed.proj.weight" in net
    if not own and not theirs:
        return None
    if "joint_blocks.37.x_block.mlp.fc1.weight" in net or "transformer_blocks.37.attn.to_q.weight" in net:
        variant = "3.5-large"
    else:
        second = "joint_blocks.0.x_block.attn2.qkv.weight" in net or "transformer_blocks.0.attn2.to_q.weight" in net
        variant = "3.5-medium" if second else "3-medium"
    detail: dict[str, Scalar] = {"layout": "sai" if own else "diffusers", "variant_from": "tensors"}
    return Traits("transformer", "sd3", variant, "flow", detail)


def _whole(tensors: Tensors, found: Traits) -> Traits:
    """A base, if the file has encoders or an autoencoder as well."""
    parts = {
        "text_encoder": any(name.startswith(("text_encoders.", "cond_stage_model.")) for name in tensors.named),
        "vae": any(name.startswith(("vae.", "first_stage_model.")) for name in tensors.named),
    }
    missing = [part for part, there in parts.items() if not there]
    if len(missing) == len(parts):
        return found
    detail = {**found.detail, **({"missing": ",".join(missing)} if missing else {})}
    return replace(found, kind="base", detail=detail)
