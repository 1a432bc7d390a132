"""Boxes in whole pixels, and which part of the canvas goes to the core."""

from dataclasses import dataclass

# Noise is anchored to the canvas on this grid (the core's ORIGIN_GRID).
ORIGIN_GRID = 8
# What a model sees around a selection, so that the selected part fits into it.
CONTEXT_PIXELS = 64
CONTEXT_SHARE = 0.25


@dataclass(frozen=True)
class Box:
    """Left and top edge, then size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def is_empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def holds(self, x: int, y: int) -> bool:
        """Whether that pixel is in it."""
        return self.x <= x < self.right and self.y <= y < self.bottom

    def moved(self, dx: int, dy: int) -> "Box":
        return Box(self.x + dx, self.y + dy, self.width, self.height)

    def intersect(self, other: "Box") -> "Box":
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(x, y, max(0, right - x), max(0, bottom - y))


def with_context(selection: Box, canvas: Box) -> Box:
    """The selection and what is around it: inside the canvas, beginning on the grid that noise is anchored to."""
    margin = max(CONTEXT_PIXELS, round(CONTEXT_SHARE * max(selection.width, selection.height)))
    left = (selection.x - margin) // ORIGIN_GRID * ORIGIN_GRID
    top = (selection.y - margin) // ORIGIN_GRID * ORIGIN_GRID
    right, bottom = selection.right + margin, selection.bottom + margin
    return Box(left, top, right - left, bottom - top).intersect(canvas)
