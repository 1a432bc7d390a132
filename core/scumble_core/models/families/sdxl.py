"""SDXL base (Podell et al. 2023), with its distilled and inpainting variants."""

from typing import TYPE_CHECKING, Any

from scumble_core.models.facts import ModelFacts
from scumble_core.models.families.adapter import Family, Part, Words
from scumble_core.models.families.unets import distilled, network, sized_prompt, unet_parts, variant_of

if TYPE_CHECKING:
    from scumble_core.models.interface import Conditioning

SDXL_FACTS = ModelFacts(
    family="sdxl",
    channels=4,
    factor=8,
    grid=32,
    tile=1024,
    steps=8,
    sampler="dpmpp_2m",
    guidance=5.0,
    uses_prompt=True,
    reach=1.0,
    handover=0.72,
    guided_from=0.28,
    guided_to=5.42,
    merge_above=1.0,
    generating_steps=30,
    smallest_side=768,
    tile_bytes=6.0e9,
    seconds_per_megapixel=45.0,
)


def _prompt(_pipe: Any, words: Words) -> "Conditioning":
    return sized_prompt(words, words.extent.height, words.extent.width)


SDXL = Family(
    name="sdxl",
    facts=SDXL_FACTS,
    pipeline="StableDiffusionXLPipeline",
    network=network,
    prompt=_prompt,
    parts=(
        *unet_parts("sdxl"),
        Part("text_encoder", "clip", "sdxl/text_encoder.json", ("conditioner.embedders.0.transformer.",)),
        Part("text_encoder_2", "open_clip", "sdxl/text_encoder_2.json", ("conditioner.embedders.1.model.",)),
    ),
    tokenizers={"tokenizer": "clip", "tokenizer_2": "clip-zero"},
    settings={"force_zeros_for_empty_prompt": True, "add_watermarker": False},
    variants=distilled(SDXL_FACTS),
    variant_of=variant_of,
)
