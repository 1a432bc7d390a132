"""The stand-ins that the numbers were recorded with: networks of reproducible random weights, and a toy in closed form.

Weights are drawn key by key in sorted order from numpy's frozen RandomState and rounded to float16, as weights.json and
the recipe beside it say.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor

from scumble_core.models.networks import KLAutoencoder, TextUNet
from scumble_core.sampling.sigmas import training_sigmas

LATENT_SCALE = 0.13025
_CLASSES = {"base": UNet2DConditionModel, "refiner": UNet2DConditionModel, "vae": AutoencoderKL}
_NORM_SPREAD, _BIAS_SPREAD = 0.1, 0.05


def drawn(shapes: Mapping[str, tuple[int, ...]], seed: int, gains: Mapping[str, float]) -> dict[str, Tensor]:
    """Weights of these shapes, float16. `gains`: how much wider the weights whose names begin so are drawn."""
    stream = np.random.RandomState(seed)
    weights = {}
    for key in sorted(shapes):
        values = stream.standard_normal(shapes[key])
        if values.ndim >= 2:
            gain = next((gain for start, gain in reversed(list(gains.items())) if key.startswith(start)), 1.0)
            values = values * gain / np.sqrt(np.prod(values.shape[1:]))
        elif key.endswith("weight"):
            values = 1.0 + _NORM_SPREAD * values
        else:
            values = _BIAS_SPREAD * values
        weights[key] = torch.from_numpy(values.astype(np.float16))
    return weights


def fingerprint(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names and bytes, in sorted order."""
    digest = hashlib.sha256()
    for key in sorted(weights):
        digest.update(key.encode())
        digest.update(weights[key].contiguous().numpy().tobytes())
    return digest.hexdigest()


def network_weights(name: str, entry: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights that an entry of weights.json describes."""
    if name == "upscaler":
        return _upscaler_weights(entry["seed"])
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in _CLASSES[name](**_config(entry)).state_dict().items()}
    return drawn(shapes, entry["seed"], entry["gains"])


def tiny_unet(name: str, entry: Mapping[str, Any]) -> TextUNet:
    """The product's own call, around the tiny UNet."""
    return TextUNet(_built(name, entry))


def tiny_autoencoder(entry: Mapping[str, Any]) -> KLAutoencoder:
    """The product's own autoencoder, around the tiny one."""
    return KLAutoencoder(_built("vae", entry), entry["config"]["scaling_factor"])


class ToyUNet:
    """A closed-form denoiser of Gaussian data, with a slight bend, that sees what a network sees."""

    def __init__(self, mu: Tensor, var: Tensor) -> None:
        self._mu, self._var = mu, var
        self._table = training_sigmas()

    def __call__(self, scaled: Tensor, time: Tensor, context: Tensor) -> Tensor:
        sigma = self._table[time.long()].view(-1, 1, 1, 1)
        centre = self._mu + context[:, :4, 0][:, :, None, None]
        pull = (scaled * (sigma * sigma + 1).sqrt() - centre) * sigma / (self._var + sigma * sigma)
        return pull + 0.05 * torch.tanh(2 * scaled)


def _built(name: str, entry: Mapping[str, Any]) -> Any:
    network = _CLASSES[name](**_config(entry))
    network.load_state_dict({key: value.float() for key, value in network_weights(name, entry).items()})
    return network.eval().requires_grad_(False)


def _config(entry: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry["config"].items()}


def _upscaler_weights(seed: int) -> dict[str, Tensor]:
    """A small ESRGAN as spandrel lays it out; its last convolution is wider and centred on grey."""
    rrdb = importlib.import_module("spandrel.architectures.ESRGAN.__arch.RRDB").RRDBNet
    with torch.device("meta"):
        network = rrdb(in_nc=3, out_nc=3, num_filters=16, num_blocks=2, scale=4)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    last = max(
        (key for key in shapes if key.endswith(".weight")),
        key=lambda key: [int(n) if n.isdigit() else -1 for n in key.split(".")][1],
    )
    last = last.removesuffix("weight")
    weights = drawn(shapes, seed, {last: 3.0})
    weights[last + "bias"] += 0.5
    return weights
