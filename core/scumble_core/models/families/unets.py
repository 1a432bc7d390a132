"""What the families with a UNet share: its call, their prompts, and which tensors of a single file are what."""

from typing import TYPE_CHECKING, Any

from scumble_core.models.detect import Found
from scumble_core.models.facts import ModelFacts
from scumble_core.models.families.adapter import Part, Words, few_steps

if TYPE_CHECKING:
    from scumble_core.models.interface import Conditioning
    from scumble_core.models.networks import KLAutoencoder, ModuleNetwork

UNET, VAE, TEXT = ("model.diffusion_model.", ""), ("first_stage_model.",), ("cond_stage_model.transformer.",)


def network(pipe: Any, autoencoder: "KLAutoencoder") -> "ModuleNetwork":
    """A UNet; one that was trained to fill holes is told that all of the picture is one.

    That is the inpainting models' own way to paint without a hole (their training masked a quarter of all pictures
    wholly), and the walk starts from the picture all the same. Told that nothing is masked, it would copy the picture.
    """
    from scumble_core.models.networks import InpaintingUNet, TextUNet

    channels = autoencoder.channels
    if pipe.unet.config.in_channels == 2 * channels + 1:
        return InpaintingUNet(pipe.unet, autoencoder)
    return TextUNet(pipe.unet)


def plain_prompt(_pipe: Any, words: Words) -> "Conditioning":
    """One text encoder's last states: SD 1.5 and SD 2."""
    from scumble_core.models.networks import TextConditioning

    return TextConditioning(words.clip(words.prompt).embeds, guidance=words.guidance)


def sized_prompt(words: Words, *beside: float) -> "Conditioning":
    """SDXL: text, its pooled form, and the size words (Podell et al. 2023, section 2.2): size, crop, and `beside`."""
    import torch

    from scumble_core.models.networks import TextConditioning

    encoded = words.clip(words.prompt)
    told = torch.tensor([[words.extent.height, words.extent.width, 0, 0, *beside]], device=encoded.embeds.device)
    return TextConditioning(encoded.embeds, encoded.pooled, told.to(encoded.embeds.dtype), words.guidance)


def distilled(facts: ModelFacts) -> dict[str, ModelFacts]:
    """The variants with few steps, by what their makers advise; those of a folder are known by its scheduler."""
    return {
        "turbo": few_steps(facts, "euler_ancestral"),
        "lightning": few_steps(facts),
        "hyper": few_steps(facts),
        "tcd": few_steps(facts),
        "pcm": few_steps(facts),
        "dmd2": few_steps(facts, "lcm"),
        "lcm": few_steps(facts, "lcm"),
        # Luo et al. 2023: the consistency model itself is told its guidance.
        "lcm-told": few_steps(facts, "lcm", guidance=8.0, told_guidance=True),
    }


def variant_of(found: Found) -> str:
    """Consistency models that have an input for their guidance, from those that a LoRA made."""
    told = found.variant == "lcm" and found.detail.get("variant_from") == "tensors"
    return "lcm-told" if told else found.variant


def unet_parts(family: str) -> tuple[Part, Part]:
    """The two parts that all these families have."""
    return Part("unet", "unet", f"{family}/unet.json", UNET), Part("vae", "kl", f"{family}/vae.json", VAE)
