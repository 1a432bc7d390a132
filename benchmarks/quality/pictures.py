"""Side by side, for the eye: a place where four tiles meet, as it is and as an amplified change."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from benchmarks.quality.contestants import Outcome
from benchmarks.quality.inputs import Input
from benchmarks.quality.layout import AxisLayout
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Floats = NDArray[np.float32]

CROP = 128
ZOOM = 2
MARGIN = 8
LABEL = 18
# The change is amplified so that this share of the values stays within black and white, in the loudest panel.
SHOWN_SHARE = 0.99
BACKGROUND = (32, 32, 32)


def side_by_side(given: Input, outcomes: Mapping[str, Outcome]) -> Image.Image:
    """A column for each contestant: its name, the crop, the crop's change."""
    panels = {name: _crops(given, outcome) for name, outcome in outcomes.items()}
    loudest = max(float(np.quantile(np.abs(change), SHOWN_SHARE)) for _, change, _ in panels.values())
    gain = 0.5 / max(loudest, 0.5 / 255)
    side = CROP * ZOOM + MARGIN
    sheet = Image.new("RGB", (side * len(panels) + MARGIN, LABEL + 2 * side + LABEL), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    for column, (name, (pixels, change, lines)) in enumerate(panels.items()):
        x = MARGIN + column * side
        draw.text((x, 1), name, font=font)
        for top, panel in ((LABEL, pixels), (LABEL + side + LABEL, np.clip(0.5 + change * gain, 0, 1))):
            sheet.paste(_enlarged(panel), (x, top))
            _marks(draw, x, top, lines)
        draw.text((x, LABEL + side - 3), f"change x {gain:.0f}", font=font)
    return sheet


def save(sheet: Image.Image, path: Path) -> None:
    """JPEG without colour subsampling: small enough for the docs, true enough for the eye."""
    sheet.save(path, quality=75, subsampling=0)


def corner(axis: AxisLayout) -> int:
    """The middle of the blend nearest to the picture's middle."""
    middles = [(begin + end) // 2 for begin, end in axis.blends] or [axis.length // 2]
    return min(middles, key=lambda middle: abs(middle - axis.length / 2))


def _crops(given: Input, outcome: Outcome) -> tuple[Floats, Floats, tuple[list[int], list[int]]]:
    """Pixels and change of the crop, and where in it lines are, across and down."""
    axes = (outcome.layout.across, outcome.layout.down)
    starts = [min(max(0, corner(axis) - CROP // 2), axis.length - CROP) for axis in axes]
    x, y = starts
    inside = (slice(y, y + CROP), slice(x, x + CROP))
    pixels = outcome.pixels[inside]
    across, down = (
        [line - start for line in axis.lines if 0 <= line - start <= CROP]
        for axis, start in zip(axes, starts, strict=True)
    )
    return pixels, pixels - given.pixels[inside], (across, down)


def _enlarged(pixels: Floats) -> Image.Image:
    image = Image.fromarray(np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    return image.resize((CROP * ZOOM, CROP * ZOOM), Image.Resampling.NEAREST)


def _marks(draw: ImageDraw.ImageDraw, x: int, y: int, lines: tuple[list[int], list[int]]) -> None:
    """Short strokes in the margin, so that nothing is drawn over what is to be looked at."""
    across, down = lines
    for line in across:
        place = x + line * ZOOM
        draw.line((place, y - 5, place, y - 1), (255, 220, 0))
    for line in down:
        place = y + line * ZOOM
        draw.line((x - 6, place, x - 2, place), (255, 220, 0))
