"""The UNets of Stable Diffusion, in the layout of their own code (LDM) or diffusers', whole or alone.

Facts: the public configurations of SD 1.5, 2.1, SDXL base and refiner (width of the text that they read: 768, 1024,
2048, 1280), and the marks that trainers leave in files (empty tensors "v_pred", "ztsnr"; "edm_mean").
"""

from scumble_core.models.detect.found import Prediction, Scalar, Traits
from scumble_core.models.tensors import Tensors

PREFIX = "model.diffusion_model."
FAMILY_OF_TEXT = {768: "sd15", 1024: "sd21", 2048: "sdxl", 1280: "sdxl-refiner"}
# By the channels that the network reads: the latent's 4, and what else it is given.
VARIANT_OF_CHANNELS = {4: "", 9: "inpainting", 8: "edit", 5: "depth", 7: "upscaling"}
# Without attention in the middle, as distilled to fewer layers: their files' names are of another build.
_SHRUNK = (
    ("middle_block.0.in_layers.2.weight", "middle_block.1."),
    ("mid_block.resnets.0.conv1.weight", "mid_block.attentions.0."),
)
_VIDEO = ("time_stack", "motion_modules", "temporal_transformer")


def unet_traits(tensors: Tensors) -> Traits | None:
    """A checkpoint, or a UNet alone; None if it is neither."""
    whole = f"{PREFIX}input_blocks.0.0.weight" in tensors
    net = tensors.within(PREFIX) if whole else tensors
    layout = "ldm" if "input_blocks.0.0.weight" in net else "diffusers"
    first = "input_blocks.0.0.weight" if layout == "ldm" else "conv_in.weight"
    if first not in net or not is_unet(net, layout):
        return None
    if any(mark in name for name in net.named for mark in _VIDEO):
        return Traits("unknown", detail={"holds": "a video model"})
    if any(mark in net and not any(name.startswith(after) for name in net.named) for mark, after in _SHRUNK):
        return Traits("unknown", detail={"holds": "SD or SDXL with fewer layers (such as SSD-1B)"})
    family = _family_of_encoders(tensors) or family_of_unet(net)
    channels = net.size(first, 1)
    detail: dict[str, Scalar] = {"layout": layout, "channels": channels}
    prediction = _marked(tensors, detail)
    variant = VARIANT_OF_CHANNELS.get(channels, "")
    if not variant and any(name.endswith("cond_proj.weight") for name in net.named):
        variant, detail["variant_from"] = "lcm", "tensors"
    missing = _missing(tensors)
    if whole and any(name.startswith("model_ema.") for name in tensors.named):
        detail["ema"] = True
    if len(missing) == 2:
        return Traits("transformer", family, variant, prediction or _usual(family), detail)
    if missing:
        detail["missing"] = ",".join(missing)
    kind = "refiner" if family == "sdxl-refiner" else "base"
    return Traits(kind, family, variant, prediction or _usual(family), detail)  # type: ignore[arg-type]


def is_unet(net: Tensors, layout: str) -> bool:
    """Whether the rest is there, too: an autoencoder and a ControlNet have a first convolution as well."""
    if layout == "ldm":
        return "time_embed.0.weight" in net and "out.2.weight" in net
    return (
        "time_embedding.linear_1.weight" in net
        and "conv_out.weight" in net
        and "up_blocks.0.resnets.0.conv1.weight" in net
    )


def family_of_unet(net: Tensors) -> str:
    """By the width of the text that it reads; where that is no family's, by its build. Serves ControlNets as well."""
    text = next((each.shape[-1] for name, each in net.named.items() if name.endswith("attn2.to_k.weight")), 0)
    added = "label_emb.0.0.weight" in net or "add_embedding.linear_1.weight" in net
    known = FAMILY_OF_TEXT.get(text, "")
    if known and added == known.startswith("sdxl"):
        return known
    if added:
        return "sdxl"
    # SD 1's attention projects by convolutions, SD 2's by matrices.
    projection = next((each.shape for name, each in net.named.items() if name.endswith("proj_in.weight")), ())
    return "sd21" if len(projection) == 2 else "sd15"


def _family_of_encoders(tensors: Tensors) -> str:
    names = tensors.named
    if any(name.startswith("conditioner.embedders.1.") for name in names):
        return "sdxl"
    if any(name.startswith("conditioner.embedders.0.model.") for name in names):
        return "sdxl-refiner"
    if any(name.startswith("cond_stage_model.model.") for name in names):
        return "sd21"
    return "sd15" if any(name.startswith("cond_stage_model.transformer.") for name in names) else ""


def _missing(tensors: Tensors) -> list[str]:
    parts = {"text_encoder": ("cond_stage_model.", "conditioner."), "vae": ("first_stage_model.",)}
    return [part for part, prefixes in parts.items() if not any(name.startswith(prefixes) for name in tensors.named)]


def _marked(tensors: Tensors, detail: dict[str, Scalar]) -> Prediction:
    """What trainers' marks say of the prediction; "" if there is none."""
    if "ztsnr" in tensors:
        detail["zero_snr"] = True
    if "edm_mean" in tensors or "edm_vpred.sigma_max" in tensors:
        return "edm"
    return "v_prediction" if "v_pred" in tensors else ""


def _usual(family: str) -> Prediction:
    """SD 2 came in both kinds."""
    return "" if family == "sd21" else "epsilon"
