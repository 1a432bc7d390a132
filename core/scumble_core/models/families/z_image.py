"""Z-Image (Tongyi 2025): one stream of text and picture, a Qwen3 for text, Flux's autoencoder. Mostly Turbo."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scumble_core.models.detect import Found
from scumble_core.models.families.adapter import Family, Part, Words, few_steps
from scumble_core.models.families.flux import FLUX_FACTS

if TYPE_CHECKING:
    from scumble_core.models.interface import Conditioning
    from scumble_core.models.networks import KLAutoencoder, ModuleNetwork

# Tensors don't tell Turbo from the model that it was distilled from, and nearly all that artists have is Turbo.
Z_IMAGE_FACTS = few_steps(
    replace(FLUX_FACTS, family="z-image", told_guidance=False), steps=8, flow_shift=3.0, seconds_per_megapixel=150.0
)
_BASE = replace(Z_IMAGE_FACTS, guidance=4.0, generating_steps=28, flow_shift=6.0, guided_from=0.0, guided_to=math.inf)


def _variant_of(found: Found) -> str:
    """A folder's scheduler tells them apart: Turbo's shift is 3, the other's 6."""
    shift = found.detail.get("shift")
    return "base" if isinstance(shift, float) and shift > 4.5 else found.variant


def _network(pipe: Any, autoencoder: "KLAutoencoder") -> "ModuleNetwork":  # noqa: ARG001
    from scumble_core.models.families.z_image_network import ZImageNetwork

    return ZImageNetwork(pipe.transformer)


def _prompt(pipe: Any, words: Words) -> "Conditioning":
    from scumble_core.models.networks import TextConditioning

    (embeds,), _ = pipe.encode_prompt(words.prompt, pipe.device, do_classifier_free_guidance=False)
    return TextConditioning(embeds[None])


Z_IMAGE = Family(
    name="z-image",
    facts=Z_IMAGE_FACTS,
    pipeline="ZImagePipeline",
    network=_network,
    prompt=_prompt,
    parts=(
        Part("transformer", "z_image", "z-image/transformer.json", ("model.diffusion_model.", "")),
        Part("vae", "kl", "flux/vae.json", ("vae.", "first_stage_model.")),
        Part("text_encoder", "qwen3", "z-image/text_encoder.json", ("text_encoders.qwen3_4b.transformer.",)),
    ),
    variants={"base": _BASE},
    variant_of=_variant_of,
    half="bfloat16",
)
