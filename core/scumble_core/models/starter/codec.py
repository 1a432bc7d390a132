"""The starter models' autoencoder: an orthonormal two-level Haar transform, lossless, nothing learned but statistics.

Latents are B x 48 x H/4 x W/4: the three colour channels, rotated to a luma and two chroma axes, times sixteen bands.
Each band is shifted to mean 0 and divided by std**EXPONENT, so coarse bands keep a higher signal-to-noise ratio than
fine ones at the same noise level, and chroma is given a multiple of that; a diffusion model then settles structure and
colour before detail.  All latents together have unit variance.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

FACTOR = 4
CHANNELS = 48
EXPONENT = 0.5
CHROMA_GAIN = 2.0

# Orthonormal luma, blue-yellow and red-green-like axes (nearest to YCbCr, but white noise stays white).
_ROTATION = (
    (3**-0.5, 3**-0.5, 3**-0.5),
    (-(6**-0.5), -(6**-0.5), 2 * 6**-0.5),
    (2**-0.5, -(2**-0.5), 0.0),
)


def _haar(pixels: Tensor) -> Tensor:
    """B x C x H x W -> B x 4C x H/2 x W/2: mean, horizontal, vertical and diagonal differences of 2 x 2 blocks."""
    a, b = pixels[..., 0::2, 0::2], pixels[..., 0::2, 1::2]
    c, d = pixels[..., 1::2, 0::2], pixels[..., 1::2, 1::2]
    return torch.cat((a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d), 1) / 2


def _unhaar(bands: Tensor) -> Tensor:
    """Inverse of `_haar`."""
    s, h, v, d = bands.chunk(4, 1)
    out = bands.new_empty(*s.shape[:2], s.shape[2] * 2, s.shape[3] * 2)
    out[..., 0::2, 0::2] = (s + h + v + d) / 2
    out[..., 0::2, 1::2] = (s - h + v - d) / 2
    out[..., 1::2, 0::2] = (s + h - v - d) / 2
    out[..., 1::2, 1::2] = (s - h - v + d) / 2
    return out


class HaarAutoencoder(nn.Module):
    """`encode` and `decode` between pictures (B x 3 x H x W in [0, 1], H and W multiples of 4) and latents."""

    factor = FACTOR
    channels = CHANNELS
    rotation: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor | None = None, scale: Tensor | None = None) -> None:
        """`mean` and `scale` are the 48 bands' statistics; `fitted` measures them."""
        super().__init__()
        self.register_buffer("rotation", torch.tensor(_ROTATION, dtype=torch.float64).float())
        self.register_buffer("mean", torch.zeros(CHANNELS) if mean is None else mean)
        self.register_buffer("scale", torch.ones(CHANNELS) if scale is None else scale)

    def bands(self, pixels: Tensor) -> Tensor:
        """The 48 bands before normalisation, B x 48 x H/4 x W/4."""
        if pixels.shape[-1] % FACTOR or pixels.shape[-2] % FACTOR:
            raise ValueError(f"picture sides {tuple(pixels.shape[-2:])} must be multiples of {FACTOR}")
        return _haar(_haar(torch.einsum("ij,bjhw->bihw", self.rotation, pixels.float())))

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> Tensor:
        """B x 3 x H x W in [0, 1] -> B x 48 x H/4 x W/4, about mean 0 and variance 1."""
        return (self.bands(pixels) - self.mean[:, None, None]) / self.scale[:, None, None]

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Inverse of `encode`; not clamped, since whoever converts to integers clamps once."""
        bands = latents.float() * self.scale[:, None, None] + self.mean[:, None, None]
        return torch.einsum("ij,bihw->bjhw", self.rotation, _unhaar(_unhaar(bands)))

    @classmethod
    def fitted(cls, pixels: Tensor, exponent: float = EXPONENT, chroma: float = CHROMA_GAIN) -> HaarAutoencoder:
        """Statistics from sample pictures (B x 3 x H x W)."""
        bands = cls().bands(pixels)
        mean, std = bands.mean((0, 2, 3)), bands.std((0, 2, 3))
        # After two transforms the colour axis is the fastest-changing index.
        is_chroma = torch.arange(CHANNELS) % 3 > 0
        scale = std**exponent / torch.where(is_chroma, chroma, 1.0)
        return cls(mean, scale * ((std / scale) ** 2).mean().sqrt())

    def save(self, path: Path) -> None:
        """Write the statistics as safetensors."""
        tensors = {"mean": self.mean.contiguous(), "scale": self.scale.contiguous()}
        save_file(tensors, path, {"kind": "scumble-haar-autoencoder"})

    @classmethod
    def load(cls, path: Path) -> HaarAutoencoder:
        """Read what `save` wrote."""
        tensors = load_file(path)
        return cls(tensors["mean"], tensors["scale"])
