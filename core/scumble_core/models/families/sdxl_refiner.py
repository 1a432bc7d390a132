"""SDXL's refiner: beside the base it finishes what that began; it has but the second text encoder."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scumble_core.models.families.adapter import Family, Part, Words
from scumble_core.models.families.sdxl import SDXL_FACTS
from scumble_core.models.families.unets import network, sized_prompt, unet_parts

if TYPE_CHECKING:
    from scumble_core.models.interface import Conditioning

# What it was told of a picture's beauty (Podell et al. 2023; the values of its own pipeline).
_AESTHETIC_SCORE, _NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5


def _prompt(_pipe: Any, words: Words) -> "Conditioning":
    return sized_prompt(words, _NEGATIVE_AESTHETIC_SCORE if words.negative else _AESTHETIC_SCORE)


SDXL_REFINER = Family(
    name="sdxl-refiner",
    facts=replace(SDXL_FACTS, family="sdxl-refiner", guidance=3.5),
    pipeline="StableDiffusionXLImg2ImgPipeline",
    network=network,
    prompt=_prompt,
    parts=(
        *unet_parts("sdxl-refiner"),
        Part("text_encoder_2", "open_clip", "sdxl/text_encoder_2.json", ("conditioner.embedders.0.model.",)),
    ),
    tokenizers={"tokenizer_2": "clip-zero"},
    settings={
        "text_encoder": None, "tokenizer": None, "requires_aesthetics_score": True,
        "force_zeros_for_empty_prompt": False, "add_watermarker": False,
    },
    role="refiner",
)  # fmt: skip
