"""What spandrel makes of a file: a network with its needs, or one sentence that says why it can't enlarge pictures."""

from pathlib import Path

import torch
from spandrel import (
    MAIN_REGISTRY,
    ImageModelDescriptor,
    MaskedImageModelDescriptor,
    ModelDescriptor,
    ModelLoader,
    UnsupportedModelError,
)

from scumble_core.errors import ScumbleError
from scumble_core.models.upscalers.facts import Scalar
from scumble_core.models.weights import read_weights

# Grey; colour; colour with alpha. Each gives back what it takes.
_CHANNELS = (1, 3, 4)


def loader(device: torch.device | None = None) -> ModelLoader:
    """spandrel's loader with all architectures that are installed.

    spandrel_extra_arches is optional, because several of its architectures may not be used commercially.
    """
    registry = MAIN_REGISTRY.copy()
    try:
        from spandrel_extra_arches import EXTRA_REGISTRY  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return ModelLoader(device, registry)
    registry.add(*EXTRA_REGISTRY, ignore_duplicates=True)
    return ModelLoader(device, registry)


def load_descriptor(path: Path) -> ImageModelDescriptor[torch.nn.Module]:
    """The network in the file, on the CPU, in evaluation mode. Raises ScumbleError for all that can't be used."""
    tensors = read_weights(path)
    try:
        descriptor = loader().load_from_state_dict(tensors)
    except UnsupportedModelError as error:
        raise _refused(path, "is not an upscaler of a kind that Scumble knows") from error
    except Exception as error:  # spandrel's builders trust the names of tensors, whatever lies behind them
        reason = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise _refused(path, f"looks like an upscaler but can't be built ({reason})") from error
    why = refusal(descriptor)
    if why or not isinstance(descriptor, ImageModelDescriptor):
        raise _refused(path, why)
    return descriptor.eval()


def refusal(descriptor: ModelDescriptor) -> str:
    """Why this network can't enlarge or restore a picture by itself; "" if it can."""
    if isinstance(descriptor, MaskedImageModelDescriptor):
        return "fills holes in pictures and needs a mask for it, so it can't enlarge or restore one"
    if descriptor.purpose == "FaceSR":
        return "restores single faces only, not pictures"
    given, taken = descriptor.output_channels, descriptor.input_channels
    if taken not in _CHANNELS or given != taken:
        return f"makes {given} channels of {taken}, so it does not enlarge or restore colour pictures"
    return ""


def detail_of(descriptor: ModelDescriptor) -> dict[str, Scalar]:
    """What an index keeps of a network, fit for JSON; upscalers/facts.py reads it."""
    needs = descriptor.size_requirements
    return {
        "architecture": str(descriptor.architecture.name), "scale": int(descriptor.scale),
        "purpose": str(descriptor.purpose), "half": bool(descriptor.supports_half),
        "bfloat16": bool(descriptor.supports_bfloat16), "tiling": descriptor.tiling.name.lower(),
        "minimum": int(needs.minimum), "multiple": int(needs.multiple_of), "square": bool(needs.square),
        "channels": int(descriptor.input_channels),
    }  # fmt: skip


def _refused(path: Path, why: str) -> ScumbleError:
    return ScumbleError("unknown_model", f"{path} {why}: choose another upscaler.")
