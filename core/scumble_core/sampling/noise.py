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
_HALF: Final = np.uint64(32)
_ROUNDS: Final = 10
# About this many counters are worked on at once, so that all steps between them stay in a core's own cache.
_CHUNK: Final = 8_192


def philox4x32(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Four random words for each counter; the counter's arrays broadcast, the key is two 32-bit words."""
    c0, c1, c2, c3 = (word.astype(np.uint64) for word in counter)
    k0, k1 = key
    low = np.uint64(_WORD)
    for _ in range(_ROUNDS):
        product_0, product_1 = c0 * _MULTIPLIER_0, c2 * _MULTIPLIER_1
        c0 = (product_1 >> _HALF) ^ (c1 ^ np.uint64(k0))
        c2 = (product_0 >> _HALF) ^ (c3 ^ np.uint64(k1))
        product_0 &= low
        product_1 &= low
        c1, c3 = product_1, product_0
        k0, k1 = (k0 + _WEYL_0) & _WORD, (k1 + _WEYL_1) & _WORD
    return c0.astype(np.uint32), c1.astype(np.uint32), c2.astype(np.uint32), c3.astype(np.uint32)


def anchored_noise(seed: int, draw: int, channels: int, bounds: Bounds) -> NDArray[np.float32]:
    """Standard normal noise, float32, channels x height x width, for `bounds` on the output's latent grid.

    `seed` is 0 to 2^64-1, `draw` counts the sampler's draws from 0. Bounds may lie at negative coordinates.
    """
    normals = np.empty((channels, bounds.height, bounds.width), np.float32)
    key = (seed & _WORD, seed >> 32)
    x = _words(bounds.x, bounds.right)[None, :]
    for band in bounds.bands(max(1, _CHUNK // max(1, bounds.width))):
        y = _words(band.y, band.bottom)[:, None]
        rows = slice(band.y - bounds.y, band.bottom - bounds.y)
        for first in range(0, channels, 4):
            words = philox4x32((x, y, np.array(draw, np.uint32), np.array(first // 4, np.uint32)), key)
            # The last four may be more than there are channels.
            for channel in range(first, min(first + 4, channels), 2):
                word = channel - first
                _box_muller(words[word], words[word + 1], normals[channel : channel + 2, rows])
    return normals


def _words(start: int, end: int) -> Words:
    """Coordinates as 32-bit words; negative ones wrap around."""
    return (np.arange(start, end, dtype=np.int64) & _WORD).astype(np.uint32)


def _box_muller(first: Words, second: Words, normals: NDArray[np.float32]) -> None:
    """Two normals from two words, or only the first of them, into `normals`.

    In float64, so that float32 rounding hides a last bit that libraries differ in.
    """
    radius = first + 0.5
    radius *= 2.0**-32
    np.log(radius, out=radius)
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle = second * (2.0 * np.pi * 2.0**-32)
    for target, turn in zip(normals, (np.cos, np.sin), strict=False):
        wave = turn(angle)
        wave *= radius
        target[...] = wave
