"""Stable Diffusion 1.5 and its kin (Rombach et al. 2022)."""

from dataclasses import replace

from scumble_core.models.families.adapter import Family, Part
from scumble_core.models.families.sdxl import SDXL_FACTS
from scumble_core.models.families.unets import TEXT, distilled, network, plain_prompt, unet_parts, variant_of

SD15_FACTS = replace(
    SDXL_FACTS, family="sd15", grid=64, tile=768, guidance=6.0, handover=0.0, smallest_side=512,
    seconds_per_megapixel=20.0,
)  # fmt: skip
SD15 = Family(
    name="sd15",
    facts=SD15_FACTS,
    pipeline="StableDiffusionPipeline",
    network=network,
    prompt=plain_prompt,
    parts=(*unet_parts("sd15"), Part("text_encoder", "clip", "sd15/text_encoder.json", TEXT)),
    tokenizers={"tokenizer": "clip"},
    settings={"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False},
    variants=distilled(SD15_FACTS),
    variant_of=variant_of,
)
