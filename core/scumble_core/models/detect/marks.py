"""What files say of themselves beside their tensors: metadata, and words in names that nothing can confirm."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from scumble_core.models.detect.found import Prediction, Scalar, Traits

# A distilled model has the tensors of the one it was distilled from.
_FEW_STEPS = {
    "turbo": "turbo", "lightning": "lightning", "lcm": "lcm", "hyper": "hyper", "dmd2": "dmd2", "tcd": "tcd",
    "pcm": "pcm", "schnell": "schnell",
}  # fmt: skip
TASKS = ("tile", "canny", "depth", "openpose", "lineart", "softedge", "scribble", "inpaint", "blur", "normal", "seg")
_TITLES = ("modelspec.title", "modelspec.tags", "modelspec.description", "general.name", "ss_output_name", "name")
_SPLIT = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=\d)")


def with_metadata(traits: Traits, metadata: Mapping[str, str]) -> Traits:
    """Completed by what the file's metadata says (modelspec, kohya's trainer, GGUF)."""
    detail, changed = dict(traits.detail), traits
    if traits.kind in ("base", "refiner", "transformer", "lora"):
        told = few_steps(" ".join(metadata.get(key, "")[:500] for key in _TITLES))
        if told and not traits.variant:
            changed, detail["variant_from"] = replace(changed, variant=told), "metadata"
        prediction = _prediction(metadata)
        if prediction and traits.prediction in ("", "epsilon"):
            changed = replace(changed, prediction=prediction)
        if metadata.get("ss_zero_terminal_snr") == "True":
            detail["zero_snr"] = True
    if traits.kind == "controlnet" and (task := _task(" ".join(metadata.get(key, "")[:500] for key in _TITLES))):
        detail["task"], detail["task_from"] = task, "metadata"
    return replace(changed, detail=detail)


def with_name(traits: Traits, name: str) -> Traits:
    """With what the file's name says and nothing else tells. A hint for people: `name_says` decides nothing."""
    detail: dict[str, Scalar] = dict(traits.detail)
    if traits.kind in ("base", "refiner", "transformer", "lora") and not traits.variant:
        if said := few_steps(name):
            detail["name_says"] = said
    elif traits.kind == "controlnet" and "task" not in detail and (task := _task(name)):
        detail["name_says"] = task
    return replace(traits, detail=detail)


def few_steps(text: str) -> str:
    """Which distillation a text names; "" if it names none."""
    words = set(_SPLIT.split(text.lower())) | set(re.split(r"[^a-z0-9]+", text.lower()))
    return next((variant for word, variant in _FEW_STEPS.items() if word in words), "")


def _task(text: str) -> str:
    words = set(_SPLIT.split(text.lower()))
    return next((task for task in TASKS if task in words or f"{task}s" in words), "")


def _prediction(metadata: Mapping[str, str]) -> Prediction:
    told = (metadata.get("modelspec.predict_key") or metadata.get("modelspec.prediction_type") or "").lower()
    if told in ("v", "v_prediction", "v-prediction", "vpred"):
        return "v_prediction"
    if metadata.get("ss_v_parameterization") == "True":
        return "v_prediction"
    return "epsilon" if told == "epsilon" else ""


def title_of(path: Path, metadata: Mapping[str, str]) -> str:
    """A name for people: what the author wrote, else the file's own."""
    told = metadata.get("modelspec.title", "").strip()
    return told[:100] if told and told.isprintable() else (path.name if path.is_dir() else path.stem)
