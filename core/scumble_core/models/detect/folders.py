"""Folders in diffusers' layout: whole pipelines by model_index.json, single parts by their config.json.

Unlike a file of weights a pipeline's folder says much of itself: the scheduler names the prediction, and few-step
models the spacing of their steps. The family still comes from what the parts are, not from the folder's name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scumble_core.errors import ScumbleError
from scumble_core.models.detect.files import detect_tensors, precision_of
from scumble_core.models.detect.found import Found, Kind, Prediction, Scalar, Traits
from scumble_core.models.detect.marks import with_name
from scumble_core.models.detect.unet import FAMILY_OF_TEXT, VARIANT_OF_CHANNELS
from scumble_core.models.tensors import PICKLED, Tensors, read_sharded, read_tensors

LARGEST_CONFIG = 4_000_000
_NETS = ("unet", "transformer")
_FLOW_FAMILIES = {
    "FluxTransformer2DModel": "flux", "ZImageTransformer2DModel": "z-image", "SD3Transformer2DModel": "sd3",
    "QwenImageTransformer2DModel": "qwen-image",
}  # fmt: skip
_FEW_STEP_SCHEDULERS = {"LCMScheduler": "lcm", "TCDScheduler": "tcd"}
# Parts that an artist's picture doesn't need.
_OPTIONAL = frozenset({"safety_checker", "feature_extractor", "image_encoder", "watermark"})


def detect_folder(folder: Path) -> Found:
    """Raises ScumbleError for a folder that is no model, or whose descriptions can't be read."""
    try:
        if (folder / "model_index.json").exists():
            return _pipeline(folder, _json(folder / "model_index.json"))
        if (folder / "config.json").exists():
            return _part(folder, _json(folder / "config.json"))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise ScumbleError(
            "unknown_model", f"The configurations in {folder} make no sense ({error}): download the model again."
        ) from error
    raise ScumbleError(
        "unknown_model", f"There is no model at {folder}: give a folder in diffusers' layout, or a weights file."
    )


def is_model_folder(folder: Path) -> bool:
    """Whether this folder as a whole is a model."""
    if (folder / "model_index.json").exists():
        return True
    return (folder / "config.json").exists() and any(weights_of(folder))


def weights_of(folder: Path) -> Iterator[Path]:
    """The weights of one part: one file, or the list of its shards; of several precisions the full one."""
    found = sorted(folder.glob("*.safetensors.index*.json")) or sorted(folder.glob("*.safetensors"))
    plain = [path for path in found if ".fp16." not in path.name and ".non_ema." not in path.name]
    yield from (plain or found)[:1]


def _pipeline(folder: Path, index: Mapping[str, Any]) -> Found:
    name = str(index.get("_class_name", ""))
    net = next((part for part in _NETS if _is_part(index.get(part))), None)
    if net is None:
        detail: dict[str, Scalar] = {"layout": "diffusers", "holds": name or "no pipeline"}
        return Found(str(folder), "unknown", title=_title(folder), detail=detail)
    config = _json(folder / net / "config.json") if (folder / net / "config.json").exists() else {}
    scheduler = _json(folder / "scheduler" / "scheduler_config.json", optional=True)
    traits = _flow(config) or _unet(index, config)
    detail = {**traits.detail, "layout": "diffusers", "pipeline": name}
    if (folder / net).is_dir():
        detail["network_bytes"] = sum(_size(weights) for weights in weights_of(folder / net))
    missing, pickled = _missing(folder, index)
    if missing:
        detail["missing"] = ",".join(missing)
    if pickled:
        detail["pickled"] = True
    traits = _scheduled(replace(traits, detail=detail), scheduler)
    if not traits.family:
        traits = replace(traits, kind="unknown", detail={**traits.detail, "holds": name})
    return _found(folder, with_name(traits, _title(folder)), _heads(folder / net))


def _part(folder: Path, config: Mapping[str, Any]) -> Found:
    """A ControlNet, an autoencoder, a UNet or a transformer alone. By its tensors, as if it were one file."""
    tensors = _heads(folder)
    if tensors is None:
        raise ScumbleError(
            "unknown_model", f"{folder} holds no .safetensors weights: download the model again, as safetensors."
        )
    found = replace(detect_tensors(folder, tensors), title=_title(folder), bytes=_bytes(folder))
    said = found.detail
    if found.kind in ("vae", "transformer", "controlnet"):
        said = {**said, "layout": "diffusers", "class": str(config.get("_class_name", ""))}
    family = found.family
    # An autoencoder's factor tells what its tensors don't: the families scale their latents differently.
    if found.kind == "vae" and isinstance(config.get("scaling_factor"), float):
        factors = {0.18215: "sd15", 0.13025: "sdxl", 0.3611: "flux", 1.5305: "sd3"}
        family = factors.get(config["scaling_factor"], family)
    return replace(found, detail=said, family=family)


def _flow(config: Mapping[str, Any]) -> Traits | None:
    family = _FLOW_FAMILIES.get(str(config.get("_class_name")))
    if family is None:
        return None
    variant = ""
    if family == "flux":
        channels = config.get("in_channels", 64)
        variant = {384: "fill", 128: "control"}.get(channels) or ("dev" if config.get("guidance_embeds") else "schnell")
    return Traits("base", family, variant, "flow", {"variant_from": "tensors"} if variant else {})


def _unet(index: Mapping[str, Any], config: Mapping[str, Any]) -> Traits:
    encoders = [name for name in ("text_encoder", "text_encoder_2") if _is_part(index.get(name))]
    channels = int(config.get("in_channels", 4))
    width = config.get("cross_attention_dim")
    added = config.get("addition_embed_type") == "text_time"
    if not added:
        family = (
            "sd21" if width == 1024 or (config.get("use_linear_projection") and width not in FAMILY_OF_TEXT) else "sd15"
        )
    else:
        family = "sdxl" if "text_encoder" in encoders else "sdxl-refiner"
    kind: Kind = "refiner" if family == "sdxl-refiner" else "base"
    detail: dict[str, Scalar] = {"channels": channels}
    variant = VARIANT_OF_CHANNELS.get(channels, "")
    if not variant and config.get("time_cond_proj_dim"):
        variant, detail["variant_from"] = "lcm", "tensors"
    if str(index.get("_class_name", "")).startswith(("StableVideo", "AnimateDiff", "IF")):
        return Traits("unknown", detail=detail)
    return Traits(kind, family, variant, "epsilon", detail)


def _scheduled(traits: Traits, scheduler: Mapping[str, Any]) -> Traits:
    """What the scheduler's configuration tells: the prediction, and that few steps are meant."""
    detail, changed = dict(traits.detail), traits
    kinds: dict[str, Prediction] = {"epsilon": "epsilon", "v_prediction": "v_prediction", "flow_prediction": "flow"}
    told = kinds.get(str(scheduler.get("prediction_type")))
    if told and traits.prediction != "flow":
        changed = replace(changed, prediction=told)
    if traits.prediction == "flow" and isinstance(scheduler.get("shift"), int | float):
        detail["shift"] = float(scheduler["shift"])
    if scheduler.get("rescale_betas_zero_snr"):
        detail["zero_snr"] = True
    name = str(scheduler.get("_class_name"))
    if name.startswith("EDM"):
        changed = replace(changed, prediction="edm")
    if not changed.variant:
        variant = _FEW_STEP_SCHEDULERS.get(name, "")
        # Turbo, Lightning and Hyper all space their few steps so; the plain models do not.
        if not variant and scheduler.get("timestep_spacing") == "trailing" and traits.prediction == "epsilon":
            variant = "turbo" if name == "EulerAncestralDiscreteScheduler" else ""
            detail["few_steps"] = True
        if variant:
            changed, detail["variant_from"] = replace(changed, variant=variant), "scheduler"
    return replace(changed, detail=detail)


def _missing(folder: Path, index: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Parts that model_index.json names and that aren't there, and whether weights are there as pickles alone."""
    missing, pickled = [], False
    for name, value in index.items():
        if name.startswith("_") or name in _OPTIONAL or not _is_part(value):
            continue
        part = folder / name
        if not part.is_dir():
            missing.append(name)
        elif not name.startswith(("tokenizer", "scheduler", "processor")) and not any(weights_of(part)):
            if any(path.suffix in PICKLED for path in part.iterdir()):
                pickled = True
            missing.append(name)
    return missing, pickled


def _is_part(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] is not None and value[1] is not None


def _heads(folder: Path) -> Tensors | None:
    weights = next(weights_of(folder), None) if folder.is_dir() else None
    if weights is None:
        return None
    return read_sharded(weights) if weights.suffix == ".json" else read_tensors(weights)


def _found(folder: Path, traits: Traits, net: Tensors | None) -> Found:
    return Found(
        path=str(folder), kind=traits.kind, family=traits.family, variant=traits.variant, prediction=traits.prediction,
        precision="" if net is None else precision_of(net), bytes=_bytes(folder), title=_title(folder),
        detail=traits.detail,
    )  # fmt: skip


def _bytes(folder: Path) -> int:
    """Of the weights that would be loaded."""
    parts = [folder, *(path for path in folder.iterdir() if path.is_dir())]
    return sum(_size(weights) for part in parts for weights in weights_of(part))


def _size(weights: Path) -> int:
    if weights.suffix != ".json":
        return weights.stat().st_size
    shards = {str(shard) for shard in _json(weights).get("weight_map", {}).values()}
    return sum((weights.parent / shard).stat().st_size for shard in shards if (weights.parent / shard).is_file())


def _title(folder: Path) -> str:
    """The folder's name; in the hub's cache, where that is a commit's number, the repository's."""
    if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
        return folder.parent.parent.name.removeprefix("models--").replace("--", "/")
    return folder.name


def _json(path: Path, optional: bool = False) -> Mapping[str, Any]:
    if optional and not path.exists():
        return {}
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")  # reading a pipe or a device could last for ever
        if path.stat().st_size > LARGEST_CONFIG:
            raise ValueError("it is too large")
        values = json.loads(path.read_text("utf-8"))
        if not isinstance(values, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise ScumbleError("unknown_model", f"{path} can't be read ({error}): download the model again.") from error
    return values
