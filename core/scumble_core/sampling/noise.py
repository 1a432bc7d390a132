"""Anchored noise: a pure function of (seed, draw, channel, absolute y, absolute x).

Tiles that overlap see the same noise where they overlap, so they agree there; a tile's noise does not depend on
which other tiles ran, in what order, or where. The generator is counter-based (Philox4x32-10: Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", 2011) and runs on the CPU, so that every machine draws the same bits.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds

Words = NDArray[np.uint32]

_MULTIPLIER_0: Final = np.uint64(0xD2511F53)
_MULTIPLIER_1: Final = np.uint64(0xCD9E8D57)
_WEYL_0: Final = 0x9E3779B9
_WEYL_1: Final = 0xBB67AE85
_WORD: Final = 0xFFFFFFFF
_ROUNDS: Final = 10


def philox4x32(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Four random words for each counter; the counter's arrays broadcast, the key is two 32-bit words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        product_0 = c0.astype(np.uint64) * _MULTIPLIER_0
        product_1 = c2.astype(np.uint64) * _MULTIPLIER_1
        high_0, low_0 = _split(product_0)
        high_1, low_1 = _split(product_1)
        c0, c1, c2, c3 = high_1 ^ c1 ^ np.uint32(k0), low_1, high_0 ^ c3 ^ np.uint32(k1), low_0
        k0, k1 = (k0 + _WEYL_0) & _WORD, (k1 + _WEYL_1) & _WORD
    return c0, c1, c2, c3


def anchored_noise(seed: int, draw: int, channels: int, bounds: Bounds) -> NDArray[np.float32]:
    """Standard normal noise, float32, channels x height x width, for `bounds` on the output's latent grid.

    `seed` is 0 to 2^64-1, `draw` counts the sampler's draws from 0. Bounds may lie at negative coordinates.
    """
    groups = -(-channels // 4)
    y = (np.arange(bounds.y, bounds.bottom, dtype=np.int64) & _WORD).astype(np.uint32)[None, :, None]
    x = (np.arange(bounds.x, bounds.right, dtype=np.int64) & _WORD).astype(np.uint32)[None, None, :]
    group = np.arange(groups, dtype=np.uint32)[:, None, None]
    words = philox4x32((x, y, np.array(draw, dtype=np.uint32), group), (seed & _WORD, seed >> 32))
    normals = np.stack([*_box_muller(words[0], words[1]), *_box_muller(words[2], words[3])], axis=1)
    return normals.reshape(groups * 4, bounds.height, bounds.width)[:channels]


def _split(product: NDArray[np.uint64]) -> tuple[Words, Words]:
    return (product >> np.uint64(32)).astype(np.uint32), product.astype(np.uint32)


def _box_muller(first: Words, second: Words) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two normals from two words. In float64, so that float32 rounding hides a last bit that libraries differ in."""
    radius = np.sqrt(-2.0 * np.log((first + 0.5) * 2.0**-32))
    angle = second * (2.0 * np.pi * 2.0**-32)
    return (radius * np.cos(angle)).astype(np.float32), (radius * np.sin(angle)).astype(np.float32)
