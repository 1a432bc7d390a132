"""Stable Diffusion 2 and 2.1, which predict noise or v, as detection tells."""

from dataclasses import replace

from scumble_core.models.families.adapter import Family, Part
from scumble_core.models.families.sd15 import SD15, SD15_FACTS
from scumble_core.models.families.unets import distilled, network, plain_prompt, unet_parts, variant_of

SD21_FACTS = replace(SD15_FACTS, family="sd21")
SD21 = Family(
    name="sd21",
    facts=SD21_FACTS,
    pipeline="StableDiffusionPipeline",
    network=network,
    prompt=plain_prompt,
    parts=(
        *unet_parts("sd21"),
        Part("text_encoder", "open_clip", "sd21/text_encoder.json", ("cond_stage_model.model.",)),
    ),
    tokenizers={"tokenizer": "clip-zero"},
    settings=SD15.settings,
    variants=distilled(SD21_FACTS),
    variant_of=variant_of,
)
