"""A file's weights, read without ever running a pickle's code."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from scumble_core.errors import ScumbleError


def read_weights(path: Path) -> dict[str, object]:
    """All that the file holds by name: tensors, and dicts of them in pickles. Raises ScumbleError."""
    try:
        if path.suffix.lower() == ".safetensors":
            return dict(load_file(path))
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ScumbleError("unknown_model", f"There is no model file at {path}: choose another.") from error
    except pickle.UnpicklingError as error:
        raise ScumbleError(
            "unsafe_model",
            f"{path} was not loaded, because it holds more than plain weights and could run code: "
            "get it as .safetensors.",
        ) from error
    except (OSError, EOFError, RuntimeError, SafetensorError, ValueError, KeyError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ScumbleError(
            "unknown_model", f"{path} can't be read as a model ({reason}): download it again."
        ) from error
    if not isinstance(loaded, dict):
        raise ScumbleError("unknown_model", f"{path} holds no weights: choose another.")
    return loaded


def read_tensors_of(path: Path) -> dict[str, Tensor]:
    """The same where all of it is tensors; what trainers wrap them in is taken off. Raises ScumbleError."""
    values: Mapping[str, object] = read_weights(path)
    wrapped = values.get("state_dict")
    if isinstance(wrapped, Mapping):
        values = wrapped
    return {str(name): value for name, value in values.items() if isinstance(value, Tensor)}
