"""What can't go together, each in one sentence, before a job starts. No torch."""

from collections.abc import Collection

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found, Kind, fits
from scumble_core.models.offers import described

_NAMES: dict[Kind, str] = {
    "base": "a base model", "refiner": "a refiner, which only finishes pictures", "lora": "a LoRA",
    "vae": "an autoencoder (VAE)", "controlnet": "a ControlNet", "embedding": "a textual inversion",
    "upscaler": "an upscaler", "transformer": "a diffusion network without its encoders",
    "text_encoder": "a text encoder", "unknown": "of a kind that Scumble doesn't know",
}  # fmt: skip
# A network that reads more than the picture's latents needs inputs that a refine job hasn't got.
_OTHER_TASKS = frozenset({"edit", "depth", "upscaling", "control"})


def check_base(found: Found, families: Collection[str]) -> None:
    """Refuse what can't be the base. `families`: those that Scumble can run."""
    if found.kind != "base":
        advice = "choose it as the refiner, beside a base model" if found.kind == "refiner" else "choose a base model"
        raise _wrong(found, "the base model", advice)
    if found.family not in families:
        known = described(found) or found.family or "unknown"
        raise ScumbleError(
            "unknown_model", f"{found.path} is of the family {known}, which Scumble can't run: choose another."
        )
    _check_whole(found)
    if found.variant in _OTHER_TASKS or found.prediction == "edm":
        what = "an EDM model" if found.prediction == "edm" else f"a model for another task ({found.variant})"
        raise ScumbleError("unknown_model", f"{found.path} is {what}, which can't refine pictures: choose another.")


def check_refiner(found: Found, base: Found | None, base_family: str) -> None:
    """Refuse what can't refine beside this base. `base` None: a starter."""
    if found.kind != "refiner":
        raise _wrong(found, "the refiner", "choose a refiner, or 'none'")
    if not fits(found, base_family):
        name = "the starter" if base is None else base.path
        raise ScumbleError(
            "unknown_model",
            f"The refiner {found.path} does not share the latents of the model {name}: "
            "choose one of the same kind, or 'none'.",
        )
    _check_whole(found)


def check_addition(found: Found, kind: Kind, base_family: str, base: str) -> None:
    """Refuse a LoRA, ControlNet, VAE or embedding that is none, or that belongs to another family.

    One whose family can't be told is let through: loading it will tell.
    """
    if found.kind != kind:
        raise _wrong(found, _NAMES[kind].removeprefix("an ").removeprefix("a "), f"choose {_NAMES[kind]}")
    if found.family and not fits(found, base_family):
        raise ScumbleError(
            "unknown_model",
            f"{found.path} is {_NAMES[kind]} for {described(found)}, but the base model {base} is of the family "
            f"{base_family}: choose one for that family.",
        )


def check_upscaler(found: Found) -> None:
    """Refuse what is known to be something else."""
    if found.kind not in ("upscaler", "unknown"):
        raise _wrong(found, "the upscaler", "choose an upscaler, or 'none'")


def _check_whole(found: Found) -> None:
    if not found.missing:
        return
    parts = ", ".join(part.replace("_", " ") for part in found.missing)
    if found.detail.get("pickled"):
        raise ScumbleError(
            "unsafe_model",
            f"{found.path} has its {parts} only as pickles, which could run code: get it as .safetensors.",
        )
    raise ScumbleError(
        "unknown_model", f"{found.path} is not whole, its {parts} is missing: download it again, with all its parts."
    )


def _wrong(found: Found, role: str, advice: str) -> ScumbleError:
    if holds := found.detail.get("holds"):
        return ScumbleError("unknown_model", f"{found.path} holds {holds}, which Scumble can't run: {advice}.")
    return ScumbleError("unknown_model", f"{found.path} is {_NAMES[found.kind]}, not {role}: {advice}.")
