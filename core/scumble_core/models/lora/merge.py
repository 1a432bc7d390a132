"""Merge LoRA into a loaded model's weights."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.lora.changes import Change, read_changes
from scumble_core.models.lora.names import Layers

_log = logging.getLogger("scumble.models")


@torch.inference_mode(mode=False)
@torch.no_grad()
def merge(parts: Mapping[str, Any], loras: Sequence[tuple[Path, float]]) -> None:
    """Add each file's changes times its weight to the layers; `parts` as `names.parts_of` gives them.

    A layer's changes are summed in float32 and added once, so that neither the order nor a half-precision type counts.
    Raises ScumbleError, which names the file, where one doesn't fit; the model must not be used then.
    """
    layers = Layers(parts)
    wanted: dict[int, tuple[Any, list[tuple[Path, float, Change]]]] = {}
    for path, weight in loras:
        for change, layer in _matched(path, layers):
            wanted.setdefault(id(layer), (layer, []))[1].append((path, weight, change))
    for layer, changes in wanted.values():
        _add(layer, changes)


def _matched(path: Path, layers: Layers) -> list[tuple[Change, Any]]:
    changes = read_changes(path)
    found = [(change, layer) for change in changes if (layer := layers.find(change.layer)) is not None]
    if not found:
        raise ScumbleError(
            "unknown_model",
            f"{path} changes no layer that this model has ({changes[0].layer[:60]} is not there): "
            "choose a LoRA for its family.",
        )
    if len(found) < len(changes):
        gone = next(change.layer for change in changes if layers.find(change.layer) is None)
        _log.warning(
            "%s: %d of its %d changes are of layers that the model hasn't got, such as %s.",
            path, len(changes) - len(found), len(changes), gone[:80],
        )  # fmt: skip
    return found


def _add(layer: Any, changes: Sequence[tuple[Path, float, Change]]) -> None:
    weight, bias = layer.weight, getattr(layer, "bias", None)
    total = torch.zeros(weight.shape, device=weight.device, dtype=torch.float32)
    for path, amount, change in changes:
        try:
            change_of_weight = change.of_weight(weight.shape, weight.device)
            change_of_bias = change.of_bias(weight.device)
        except (ValueError, RuntimeError, KeyError) as error:
            raise _unfit(path, change) from error
        if change_of_weight is None and change_of_bias is None:
            raise _unfit(path, change)  # half of it is missing
        if change_of_weight is not None:
            total += change_of_weight * amount
        if change_of_bias is not None:
            if bias is None or bias.shape != change_of_bias.shape:
                raise _unfit(path, change)
            _set(bias, bias.float() + change_of_bias * amount)
    _set(weight, weight.float() + total)


def _set(parameter: Tensor, values: Tensor) -> None:
    parameter.data.copy_(values.to(parameter.dtype))


def _unfit(path: Path, change: Change) -> ScumbleError:
    return ScumbleError(
        "unknown_model", f"{path} does not fit this model (at {change.layer[:60]}): choose a LoRA for its family."
    )
