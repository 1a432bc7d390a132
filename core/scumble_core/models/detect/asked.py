"""What spandrel says of a file: whether it is an upscaler, of which architecture, and how much it enlarges.

It is asked with tensors that have shapes and no content (torch's "meta" device), so that nothing is loaded. It needs
torch: import this only in the background.
"""

from dataclasses import replace
from pathlib import Path

import torch
from spandrel import ImageModelDescriptor, UnsupportedModelError

from scumble_core.models.detect.files import detect_tensors
from scumble_core.models.detect.found import Found
from scumble_core.models.tensors import Tensors, read_tensors
from scumble_core.models.upscalers.descriptor import detail_of, loader, refusal
from scumble_core.models.weights import read_weights

# A network that can't be told from shapes alone is loaded, if it is small.
LARGEST_LOADED = 200_000_000
_WRAPPERS = ("model_state_dict", "state_dict", "params_ema", "params-ema", "params", "model", "net")
_DTYPES = {
    "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def ask_spandrel(path: Path) -> Found | None:
    """The file as an upscaler (or a network that restores at its own size); None if it is none for colour pictures.

    Raises ScumbleError for a file that can't be read.
    """
    tensors = read_tensors(path)
    descriptor = _described(path, tensors)
    if not isinstance(descriptor, ImageModelDescriptor) or refusal(descriptor):
        return None
    found = detect_tensors(path, tensors)
    return replace(found, kind="upscaler", family="", variant="", prediction="", detail=detail_of(descriptor))


def _described(path: Path, tensors: Tensors) -> object:
    try:
        with torch.device("meta"):
            return loader(torch.device("meta")).load_from_state_dict(_without_content(tensors))
    except UnsupportedModelError:
        return None
    except Exception:  # an architecture that reads a tensor's content to know itself
        if tensors.bytes > LARGEST_LOADED:
            return None

    try:
        return loader().load_from_state_dict(read_weights(path))
    except UnsupportedModelError:
        return None
    except (RuntimeError, ValueError, KeyError, TypeError, AssertionError):
        return None  # named like one of spandrel's, and built otherwise


def _without_content(tensors: Tensors) -> dict[str, torch.Tensor]:
    """As spandrel would have unwrapped the file itself."""
    for wrapper in _WRAPPERS:
        inner = tensors.within(f"{wrapper}.")
        whole = len(inner.named) * 2 > len(tensors.named) and "." in next(iter(inner.named), "")
        if whole and not _is_network(tensors):
            tensors = inner
            break
    names = tensors.named
    for prefix in ("module.", "netG."):
        if names and all(name.startswith(prefix) for name in names):
            names = tensors.within(prefix).named
    return {
        name: torch.empty(each.shape, dtype=_DTYPES.get(each.dtype, torch.float32), device="meta")
        for name, each in names.items()
    }


def _is_network(tensors: Tensors) -> bool:
    """The old ESRGAN's own names begin with one of the wrappers'."""
    return "model.0.weight" in tensors
