"""Boxes, stitching, complexity, rules and scaling: the reference node's own arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from benchmarks.parity.recorded import Arrays, Golden
from benchmarks.parity.result import Result, compared, same_text
from numpy.typing import NDArray

from scumble_core.mikey.complexity import complexity, start_of, start_step
from scumble_core.mikey.scale import sample_places, truncated, upscaled_size
from scumble_core.mikey.stitch import Stitcher
from scumble_core.mikey.tiles import split
from scumble_core.picture.geometry import Extent

_SPLIT, _STITCH, _COMPLEXITY = "split_image.json", "stitch_images.npz", "complexity.npz"
_RULES, _MAPS = "rules.json", "image_scale_maps.npz"
_TILE_STEPS = 20
# Sums of 256 float64 terms, in whatever order.
_SCORE_TOLERANCE = 1e-12


def check(golden: Golden) -> Iterator[Result]:
    """All exact, but for the score's last bits."""
    splits = golden.values(_SPLIT)
    yield from [golden.trouble(_SPLIT)] if splits is None else map(_check_split, splits)
    yield from _each_key(golden, _STITCH, _check_stitch)
    yield from _each_key(golden, _COMPLEXITY, _check_complexity)
    rules = golden.values(_RULES)
    yield from [golden.trouble(_RULES)] if rules is None else (_check_rule(key, rows) for key, rows in rules.items())
    yield from _each_key(golden, _MAPS, _check_map)


def _each_key(golden: Golden, file: str, check_key: Any) -> Iterator[Result]:
    recorded = golden.arrays(file)
    yield from [golden.trouble(file)] if recorded is None else (check_key(key, recorded) for key in recorded)


def _unknown(file: str, key: str) -> Result:
    return Result(file, key, "not compared", note="a key that is not known")


def _check_split(entry: dict[str, Any]) -> Result:
    key = f"{entry.get('width')}x{entry.get('height')}/{entry.get('tile_size')}"
    expected = entry.get("boxes", entry.get("error"))
    if expected is None:
        return _unknown(_SPLIT, key)

    def found() -> list[list[int]] | str:
        try:
            boxes = split(Extent(entry["width"], entry["height"]), entry["tile_size"])
        except ZeroDivisionError as error:
            return type(error).__name__
        return [[box.x, box.y, box.right, box.bottom] for box in boxes]

    if isinstance(expected, str):
        return same_text(_SPLIT, key, expected, found)
    return compared(_SPLIT, key, expected, found)


def _check_stitch(key: str, recorded: Arrays) -> Result:
    name, _, item = key.partition("/")
    if item in {"size", "boxes", "tiles_u8"}:
        return Result(_STITCH, key, "input")
    if item != "out" or not all(f"{name}/{part}" in recorded for part in ("size", "boxes", "tiles_u8")):
        return _unknown(_STITCH, key)
    width, _height = recorded[f"{name}/size"].tolist()
    boxes, tiles = recorded[f"{name}/boxes"].tolist(), recorded[f"{name}/tiles_u8"]
    if _has_black(boxes):
        return Result(_STITCH, key, "not compared", note="the reference blends with black here, Scumble doesn't")
    return compared(_STITCH, key, recorded[key], lambda: _stitched(width, boxes, tiles)[None])


def _stitched(width: int, boxes: list[list[int]], tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    bands: list[NDArray[np.float32]] = []
    stitcher = Stitcher(width, lambda _bounds, pixels: bands.append(pixels.copy()))
    for (x, y, _right, _bottom), tile in sorted(zip(boxes, tiles, strict=True), key=lambda pair: pair[0][1::-1]):
        stitcher.add(x, y, tile.astype(np.float32) / np.float32(255))
    stitcher.finish()
    return np.concatenate(bands)


def _has_black(boxes: list[list[int]]) -> bool:
    """Whether a tile's feather reaches beyond what the tiles before it have painted."""
    for x, y, right, _bottom in boxes:
        feather = (right - x) // 8
        left = [other[2] for other in boxes if other[1] == y and other[0] < x]
        above = [other[3] for other in boxes if other[1] < y]
        if (left and max(left) - x < feather) or (above and max(above) - y < feather):
            return True
    return False


def _check_complexity(key: str, recorded: Arrays) -> Result:
    expected = recorded[key]
    name, _, item = key.partition("/")
    if item == "image" or key == "tensor2pil_in":
        return Result(_COMPLEXITY, key, "input")
    if key == "u8_roundtrip":
        return compared(
            _COMPLEXITY, key, expected, lambda: truncated(np.arange(256, dtype=np.float32) / np.float32(255))
        )
    if key == "tensor2pil_out" and "tensor2pil_in" in recorded:
        return compared(_COMPLEXITY, key, expected, lambda: truncated(recorded["tensor2pil_in"]))
    if f"{name}/image" in recorded:
        image = recorded[f"{name}/image"]
        if item == "complexity":
            return compared(_COMPLEXITY, key, expected, lambda: complexity(image), _SCORE_TOLERANCE)
        asked = re.fullmatch(r"start_step_if_(\d+)", item)
        if asked is not None:
            return compared(_COMPLEXITY, key, expected, lambda: start_step(complexity(image), int(asked[1])))
    return _unknown(_COMPLEXITY, key)


def _check_rule(key: str, rows: list[list[float]]) -> Result:
    if key == "start_step_by_denoise":
        return compared(_RULES, key, [row[1] for row in rows], lambda: [start_of(row[0], _TILE_STEPS) for row in rows])
    if key == "upscaled_size":
        sides = lambda: [upscaled_size(Extent(int(row[0]), 8), row[1]).width for row in rows]  # noqa: E731
        return compared(_RULES, key, [row[2] for row in rows], sides)
    return _unknown(_RULES, key)


def _check_map(key: str, recorded: Arrays) -> Result:
    parts = re.fullmatch(r"(\d+)x(\d+)_x(\d+)_by([\d.]+)/(rows|cols)", key)
    if parts is None:
        return _unknown(_MAPS, key)
    picture, enlarged, by = Extent(int(parts[1]), int(parts[2])), int(parts[3]), float(parts[4])
    source = Extent(picture.width * enlarged, picture.height * enlarged)
    axis = ("rows", "cols").index(parts[5])
    return compared(_MAPS, key, recorded[key], lambda: sample_places(source, upscaled_size(picture, by))[axis])
