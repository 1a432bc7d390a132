"""What goes beside a base: ControlNets, autoencoders, textual inversions, text encoders."""

import re

from scumble_core.models.detect.found import Scalar, Traits
from scumble_core.models.detect.unet import family_of_unet
from scumble_core.models.tensors import Tensors

_FAMILY_OF_WIDTH = {768: "sd15", 1024: "sd21"}
_CLIP = {768: "clip-l", 1280: "clip-g", 1024: "open-clip-h"}
_MOST_VECTORS = 512


def controlnet_traits(tensors: Tensors) -> Traits | None:
    """A ControlNet of a UNet or of Flux, in either layout."""
    prefix = "control_model."
    net = tensors.within(prefix) if f"{prefix}input_hint_block.0.weight" in tensors else tensors
    own = "input_hint_block.0.weight" in net and "zero_convs.0.0.weight" in net
    if not own and "controlnet_cond_embedding.conv_in.weight" not in net:
        return _flux_controlnet(net)
    detail: dict[str, Scalar] = {"layout": "ldm" if own else "diffusers"}
    if "lora_controlnet" in net:
        return Traits("unknown", detail={"holds": "a Control-LoRA"})
    variant = ""
    if "task_embedding" in net or "control_add_embedding.linear_1.weight" in net:
        variant = "union"
        if "task_embedding" in net:
            detail["tasks"] = net.size("task_embedding", 0)
    return Traits("controlnet", family_of_unet(net), variant, "", detail)


def _flux_controlnet(net: Tensors) -> Traits | None:
    if "controlnet_x_embedder.weight" not in net:
        return None
    variant = "union" if "controlnet_mode_embedder.weight" in net else ""
    family = "flux" if "context_embedder.weight" in net else ""
    return Traits("controlnet", family, variant, "", {"layout": "diffusers"})


def vae_traits(tensors: Tensors) -> Traits | None:
    """An autoencoder alone: KL with 4 or 16 channels, Qwen-Image's, or a tiny one (TAESD)."""
    for prefix in ("first_stage_model.", "vae.", ""):
        net = tensors.within(prefix) if prefix else tensors
        found = _kl(net) or _video(net) or _tiny(net)
        if found is not None:
            return found
    return None


def _kl(net: Tensors) -> Traits | None:
    if "decoder.conv_in.weight" not in net or len(net.shape("decoder.conv_in.weight")) != 4:
        return None
    own = "decoder.mid.block_1.conv1.weight" in net
    if not own and "decoder.mid_block.resnets.0.conv1.weight" not in net:
        return None
    channels = net.size("decoder.conv_in.weight", 1)
    family = {4: "sd-or-sdxl", 16: "flux-or-sd3"}.get(channels, "")
    detail: dict[str, Scalar] = {"layout": "ldm" if own else "diffusers", "channels": channels}
    if "encoder.conv_in.weight" not in net:
        detail["missing"] = "encoder"
    return Traits("vae", family, "", "", detail)


def _video(net: Tensors) -> Traits | None:
    """Qwen-Image's autoencoder is Wan's, which works on pictures as on films of one frame."""
    theirs = len(net.shape("decoder.conv_in.weight")) == 5 and "decoder.conv_in.weight" in net
    if not theirs and "decoder.middle.0.residual.0.gamma" not in net:
        return None
    channels = net.size("decoder.conv_in.weight" if theirs else "decoder.conv1.weight", 1)
    return Traits("vae", "qwen-image", "", "", {"layout": "diffusers" if theirs else "wan", "channels": channels})


# The first convolution of each half, and one of its first block, by layout.
_TINY_DECODERS = (
    ("decoder.layers.0.weight", "decoder.layers.2.conv.0.weight"),
    ("taesd_decoder.1.weight", "taesd_decoder.3.conv.0.weight"),
    ("decoder.1.weight", "decoder.3.conv.0.weight"), ("1.weight", "3.conv.0.weight"),
)  # fmt: skip
_TINY_ENCODERS = (
    ("encoder.layers.0.weight", "encoder.layers.1.conv.0.weight"),
    ("taesd_encoder.0.weight", "taesd_encoder.1.conv.0.weight"),
    ("encoder.0.weight", "encoder.1.conv.0.weight"), ("0.weight", "1.conv.0.weight"),
)  # fmt: skip


def _tiny(net: Tensors) -> Traits | None:
    """TAESD: plain stacks of blocks, kept as two files in its own layout and as one in diffusers'."""
    decoder = next((first for first, block in _TINY_DECODERS if first in net and block in net), None)
    encoder = next((first for first, block in _TINY_ENCODERS if first in net and block in net), None)
    halves = [half for half, there in (("encoder", encoder), ("decoder", decoder)) if there]
    if not halves:
        return None
    channels = net.size(decoder, 1) if decoder else _last_channels(net)
    family = {4: "sd-or-sdxl", 16: "flux-or-sd3"}.get(channels)
    if family is None:
        return None
    layout = "diffusers" if "decoder.layers.0.weight" in net else "taesd"
    return Traits("vae", family, "tiny", "", {"layout": layout, "channels": channels, "halves": ",".join(halves)})


def _last_channels(net: Tensors) -> int:
    """What the last convolution of a stack makes."""
    numbered = []
    for name, tensor in net.named.items():
        place = re.search(r"(\d+)\.weight$", name)
        if place and len(tensor.shape) == 4 and ".conv." not in name:
            numbered.append((int(place[1]), tensor.shape))
    return max(numbered)[1][0] if numbered else 0


def embedding_traits(tensors: Tensors) -> Traits | None:
    """Textual inversion: a few vectors of a text encoder's width, by A1111's, diffusers' or SDXL's names."""
    if not 1 <= len(tensors.named) <= 4:
        return None
    if {"clip_l", "clip_g"} <= set(tensors.named):
        shape = tensors.shape("clip_g")
        if len(shape) in (1, 2):
            return Traits("embedding", "sdxl", "", "", {"tokens": _tokens(shape), "width": shape[-1]})
        return None
    known = ("emb_params", "string_to_param.*", "clip_l")
    name = next((name for name in known if name in tensors), None)
    if name is None and len(tensors.named) == 1:
        name = next(iter(tensors.named))
        if tensors.size(name, -1) not in (*_CLIP, 0):
            return None
    shape = tensors.shape(name or "")
    if len(shape) not in (1, 2) or _tokens(shape) > _MOST_VECTORS:
        return None
    return Traits(
        "embedding", _FAMILY_OF_WIDTH.get(shape[-1], ""), "", "", {"tokens": _tokens(shape), "width": shape[-1]}
    )


def _tokens(shape: tuple[int, ...]) -> int:
    return 1 if len(shape) == 1 else shape[0]


def text_encoder_traits(tensors: Tensors) -> Traits | None:
    """CLIP, T5 or a language model alone."""
    for prefix in ("", "text_encoder.", "transformer."):
        net = tensors.within(prefix) if prefix else tensors
        for name in ("text_model.embeddings.token_embedding.weight", "embeddings.token_embedding.weight"):
            if name in net and "vision_model.embeddings.class_embedding" not in net:
                return _encoder(_CLIP.get(net.size(name, 1), "clip"))
        if (
            "encoder.block.0.layer.0.SelfAttention.q.weight" in net
            and "decoder.block.0.layer.0.SelfAttention.q.weight" not in net
        ):
            return _encoder("t5")
        if "model.embed_tokens.weight" in net or "model.language_model.embed_tokens.weight" in net:
            visual = any(name.startswith(("visual.", "model.visual.")) for name in net.named)
            normed = any(name.endswith("self_attn.q_norm.weight") for name in net.named)
            return _encoder("qwen-vl" if visual else "qwen3" if normed else "language-model")
    if "token_embd.weight" in tensors and "blk.0.attn_q.weight" in tensors:
        return _encoder(tensors.metadata.get("general.architecture", "language-model"))
    return None


def _encoder(name: str) -> Traits:
    return Traits("text_encoder", "", "", "", {"encoder": name})
