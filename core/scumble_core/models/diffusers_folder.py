"""Stable Diffusion models kept in diffusers' folder layout: SD 1.5, SDXL and SDXL's refiner. No torch here."""

import json
from pathlib import Path

from scumble_core.errors import ScumbleError
from scumble_core.models.facts import Family

_FAMILIES: dict[str, Family] = {
    "StableDiffusionPipeline": "sd15",
    "StableDiffusionImg2ImgPipeline": "sd15",
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLImg2ImgPipeline": "sdxl-refiner",
}


def family_of(folder: Path) -> Family:
    """Which family the folder's model_index.json says it is."""
    index = folder / "model_index.json"
    try:
        values = json.loads(index.read_text("utf-8"))
        name = values["_class_name"]
    except FileNotFoundError as error:
        raise ScumbleError(
            "unknown_model", f"There is no model at {folder}: give a folder in diffusers' layout, or 'starter'."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScumbleError("unknown_model", f"{index} can't be read ({error}): download the model again.") from error
    if name == "StableDiffusionXLPipeline" and (values.get("text_encoder") or [None])[0] is None:
        return "sdxl-refiner"
    if name not in _FAMILIES:
        known = ", ".join(sorted(_FAMILIES))
        raise ScumbleError(
            "unknown_model", f"{folder} holds a {name}, but Scumble knows {known}: choose another model."
        )
    return _FAMILIES[name]
