"""Where things are in a picture: whole pixels, x to the right, y down."""

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A place in pixels."""

    x: int
    y: int


@dataclass(frozen=True)
class Extent:
    """A size in pixels."""

    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def is_empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def scaled(self, scale: float) -> "Extent":
        """Each side times `scale`, rounded to the nearest pixel (halves up), at least 1."""
        return Extent(max(1, int(self.width * scale + 0.5)), max(1, int(self.height * scale + 0.5)))

    def at_least(self, side: int) -> "Extent":
        return Extent(max(self.width, side), max(self.height, side))

    def rounded_up(self, multiple: int) -> "Extent":
        return Extent(-(-self.width // multiple) * multiple, -(-self.height // multiple) * multiple)


@dataclass(frozen=True)
class Bounds:
    """A box: left and top edge, then size. `right` and `bottom` lie just outside."""

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
    def extent(self) -> Extent:
        return Extent(self.width, self.height)

    @property
    def origin(self) -> Point:
        return Point(self.x, self.y)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an H x W array; the box must not begin left of or above the array."""
        if self.x < 0 or self.y < 0:
            raise ValueError(f"{self} begins outside the array")
        return slice(self.y, self.bottom), slice(self.x, self.right)

    @property
    def is_empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    @classmethod
    def between(cls, x: int, y: int, right: int, bottom: int) -> "Bounds":
        """The box between two corners; of no size where they cross."""
        return cls(x, y, max(0, right - x), max(0, bottom - y))

    @classmethod
    def of(cls, extent: Extent) -> "Bounds":
        return cls(0, 0, extent.width, extent.height)

    def translate(self, dx: int, dy: int) -> "Bounds":
        return Bounds(self.x + dx, self.y + dy, self.width, self.height)

    def pad(self, margin: int) -> "Bounds":
        return Bounds.between(self.x - margin, self.y - margin, self.right + margin, self.bottom + margin)

    def intersect(self, other: "Bounds") -> "Bounds":
        return Bounds.between(
            max(self.x, other.x),
            max(self.y, other.y),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def union(self, other: "Bounds") -> "Bounds":
        """The smallest box that holds both; a box of no size adds nothing."""
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        return Bounds.between(
            min(self.x, other.x),
            min(self.y, other.y),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def contains(self, other: "Bounds") -> bool:
        return self.intersect(other) == other

    def scaled(self, scale: float) -> "Bounds":
        """Every edge times `scale`, rounded outward to whole pixels."""
        # A hair of tolerance, so that 0.1 * 30 is 3 and doesn't round outward to 4.
        left, top = (math.floor(edge * scale + 1e-6) for edge in (self.x, self.y))
        right, bottom = (math.ceil(edge * scale - 1e-6) for edge in (self.right, self.bottom))
        return Bounds.between(left, top, right, bottom)

    def bands(self, rows: int) -> Iterator["Bounds"]:
        """The box in bands of at most `rows` rows, from the top: how a picture is read without holding all of it."""
        for top in range(self.y, self.bottom, rows):
            yield Bounds(self.x, top, self.width, min(rows, self.bottom - top))

    def rounded_outward(self, multiple: int) -> "Bounds":
        return Bounds.between(
            self.x // multiple * multiple,
            self.y // multiple * multiple,
            -(-self.right // multiple) * multiple,
            -(-self.bottom // multiple) * multiple,
        )
