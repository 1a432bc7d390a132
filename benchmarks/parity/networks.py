"""weights.json and nets_tiny.npz: one forward of each network through the product's own calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from benchmarks.parity.recorded import Arrays, Golden
from benchmarks.parity.result import Result, compared, same_text
from benchmarks.parity.tiny import LATENT_SCALE, fingerprint, network_weights, tiny_autoencoder, tiny_unet
from numpy.typing import NDArray

from scumble_core.mikey.scale import latent_crop
from scumble_core.models.networks import TextConditioning
from scumble_core.picture.geometry import Extent

_TOLERANCE = 1e-5
_WEIGHTS, _NETS = "weights.json", "nets_tiny.npz"
_NETWORKS = ("base", "refiner", "vae", "upscaler")
_INPUTS = {
    "x",
    "t",
    "image",
    *(f"{name}/{item}" for name in ("base", "refiner") for item in ("context", "pooled", "time_ids")),
}


def check(golden: Golden) -> Iterator[Result]:
    """Weights to the bit, forwards within 1e-5."""
    weights = golden.values(_WEIGHTS)
    if weights is None:
        yield golden.trouble(_WEIGHTS)
    for name, entry in (weights or {}).items():
        if name not in _NETWORKS:
            yield Result(_WEIGHTS, name, "not compared", note="a network that is not known")
            continue
        yield from _check_weights(name, entry)
    nets = golden.arrays(_NETS)
    if nets is None:
        yield golden.trouble(_NETS)
    for key, expected in (nets or {}).items():
        yield _check_forward(key, expected, nets or {}, weights)


def _check_weights(name: str, entry: dict[str, Any]) -> Iterator[Result]:
    """What weights.json says of a network besides these two is what it is built from."""
    if "sha256" in entry:
        yield same_text(_WEIGHTS, f"{name}/sha256", entry["sha256"], lambda: fingerprint(network_weights(name, entry)))
    if "params" in entry:
        yield compared(_WEIGHTS, f"{name}/params", entry["params"], lambda: _count(name, entry))


def _check_forward(key: str, expected: NDArray[Any], nets: Arrays, weights: Any) -> Result:
    if key in _INPUTS:
        return Result(_NETS, key, "input")
    computed = {
        "base/eps": lambda: _forward("base", nets, weights),
        "refiner/eps": lambda: _forward("refiner", nets, weights),
        "vae_latent": lambda: _encoded(nets, weights),
        "vae_decoded": lambda: _decoded(nets, weights),
    }
    if key not in computed:
        return Result(_NETS, key, "not compared", note="a key that is not known")
    if weights is None:
        return Result(_NETS, key, "not compared", note="weights.json is missing")
    with torch.inference_mode():
        return compared(_NETS, key, expected, computed[key], _TOLERANCE)


def _count(name: str, entry: Any) -> int:
    return sum(value.numel() for value in network_weights(name, entry).values())


def _forward(name: str, nets: Arrays, weights: Any) -> NDArray[Any]:
    context, pooled, time_ids = (
        torch.from_numpy(nets[f"{name}/{item}"]).float() for item in ("context", "pooled", "time_ids")
    )
    unet = tiny_unet(name, weights[name])
    return unet(
        torch.from_numpy(nets["x"]), torch.from_numpy(nets["t"]), TextConditioning(context, pooled, time_ids)
    ).numpy()


def _encoded(nets: Arrays, weights: Any) -> NDArray[Any]:
    """The picture's middle, in the autoencoder's own space."""
    image = nets["image"]
    rows, columns = latent_crop(Extent(image.shape[2], image.shape[1])).slices
    pixels = torch.from_numpy(np.ascontiguousarray(image[:, rows, columns].transpose(0, 3, 1, 2)))
    return (tiny_autoencoder(weights["vae"]).encode(pixels) / LATENT_SCALE).numpy()


def _decoded(nets: Arrays, weights: Any) -> NDArray[Any]:
    """From the recorded latent; what lies beyond 0 to 1 is cut off, as in any picture."""
    latent = torch.from_numpy(nets["vae_latent"]) * LATENT_SCALE
    return tiny_autoencoder(weights["vae"]).decode(latent).clamp(0, 1).permute(0, 2, 3, 1).numpy()
