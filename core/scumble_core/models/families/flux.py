"""Flux 1 (Black Forest Labs 2024): dev, which is told its guidance, schnell with four steps, and fill."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scumble_core.models.facts import ModelFacts
from scumble_core.models.families.adapter import Family, Part, Words, few_steps

if TYPE_CHECKING:
    from scumble_core.models.interface import Conditioning
    from scumble_core.models.networks import KLAutoencoder, ModuleNetwork

FLUX_FACTS = ModelFacts(
    family="flux",
    channels=16,
    factor=8,
    grid=16,
    tile=1024,
    steps=8,
    sampler="euler",
    guidance=3.5,
    uses_prompt=True,
    reach=1.0,
    handover=0.0,
    guided_from=0.0,
    guided_to=math.inf,
    merge_above=1.0,
    generating_steps=28,
    smallest_side=768,
    tile_bytes=8.0e9,
    seconds_per_megapixel=300.0,
    spacing="trailing",
    # Its scheduler shifts by the picture's size, exp(1.15) at 1024 x 1024.
    flow_shift=math.exp(1.15),
    told_guidance=True,
)
_SCHNELL = few_steps(FLUX_FACTS, flow_shift=1.0, told_guidance=False)


def _network(pipe: Any, autoencoder: "KLAutoencoder") -> "ModuleNetwork":
    from scumble_core.models.families.flux_network import FluxNetwork

    return FluxNetwork(pipe.transformer, autoencoder)


def _prompt(pipe: Any, words: Words) -> "Conditioning":
    from scumble_core.models.networks import TextConditioning

    embeds, pooled, _ = pipe.encode_prompt(words.prompt, None, device=pipe.device)
    return TextConditioning(embeds, pooled, guidance=words.guidance)


FLUX = Family(
    name="flux",
    facts=FLUX_FACTS,
    pipeline="FluxPipeline",
    network=_network,
    prompt=_prompt,
    parts=(
        Part("transformer", "flux", "flux/transformer.json", ("model.diffusion_model.", "")),
        Part("vae", "kl", "flux/vae.json", ("vae.", "first_stage_model.")),
        Part("text_encoder", "clip", "sd15/text_encoder.json", ("text_encoders.clip_l.transformer.",)),
        Part("text_encoder_2", "t5", "flux/text_encoder_2.json", ("text_encoders.t5xxl.transformer.",)),
    ),
    tokenizers={"tokenizer": "clip"},
    variants={"schnell": _SCHNELL, "fill": replace(FLUX_FACTS, guidance=30.0)},
    half="bfloat16",
)
