"""A network's weights from a file, without ever running a pickle's code."""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from scumble_core.errors import ScumbleError


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The weights in a .safetensors or a pickled file (.pth, .pt), read by torch's restricted reader."""
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ScumbleError("unknown_model", f"There is no model file at {path}: choose another model.") from error
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
        raise ScumbleError("unknown_model", f"{path} holds no weights: choose another model.")
    return loaded
