"""What a run is to do, and all that is known once the picture was read: values, fit for JSON."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal, cast

from scumble.checked import number, text, whole
from scumble.geometry import ORIGIN_GRID, Box
from scumble.host.contract import Destination, Placement, Target
from scumble.settings import Settings
from scumble_bridge.fields import Depth, Layout, PictureHeader

# How the result is met: placed by itself, or shown first.
Manner = Literal["place", "show"]
MOST_RESEEDED = 10_000


@dataclass(frozen=True)
class Reseeded:
    """The tile that begins at x, y, in pixels of the tile pass, is drawn from a seed of its own."""

    x: int
    y: int
    seed: int


@dataclass(frozen=True)
class Asked:
    """What the artist asked for. `tile`: only this box of the canvas, as a trial; `reseeded`: tiles drawn anew."""

    settings: Settings
    tile: "Box | None" = None
    reseeded: "tuple[Reseeded, ...]" = ()

    @property
    def manner(self) -> Manner:
        return "place" if self.tile is None else "show"

    @property
    def placement(self) -> Placement:
        """A trial can't enlarge the document around it: it goes into a new one, or back to its own size."""
        placement = self.settings.placement
        if self.tile is not None and placement.destination == "enlarge":
            return replace(placement, destination="new")
        return placement

    def request(self, box: Box) -> "dict[str, object]":
        """The core's RefineRequest for a picture that lies there on the canvas.

        Where it does not begin on the noise's grid (a small layer), the grid is moved to the nearest place.
        """
        origin = (round(place / ORIGIN_GRID) * ORIGIN_GRID for place in (box.x, box.y))
        asked = self.settings.request(*origin)
        if self.reseeded:
            asked["reseeded"] = [asdict(each) for each in self.reseeded]
        return asked


@dataclass(frozen=True)
class Order:
    """A run whose picture was read.

    `job`: the core's name for it; `box`: what was sent of the canvas, as it was then; `target`, `placement` and
    `scale`: where the results go now; `masked`: a selection was sent, whose bounds within the box are `selected`.
    """

    job: str
    asked: Asked
    box: Box
    header: PictureHeader
    masked: bool
    selected: "Box | None"
    profile: bytes
    target: Target
    placement: Placement
    scale: float
    began: float

    @property
    def request(self) -> "dict[str, object]":
        return self.asked.request(self.box)

    @property
    def mask_header(self) -> "PictureHeader | None":
        return self._mask if self.masked else None

    @property
    def strength_header(self) -> "PictureHeader | None":
        """Of the map of where to refine more."""
        return self._mask if self.asked.settings.guides.strength else None

    @property
    def region_headers(self) -> "tuple[PictureHeader, ...]":
        return (self._mask,) * len(self.asked.settings.guides.regions)

    @property
    def bounds(self) -> "tuple[int, int, int, int] | None":
        """Of the selection, as an estimate asks for them."""
        box = self.selected
        return None if box is None or not self.masked else (box.x, box.y, box.width, box.height)

    @property
    def note(self) -> str:
        """The settings, for the document."""
        return self.asked.settings.to_json()

    @property
    def _mask(self) -> PictureHeader:
        return mask_header(self.header)

    def to_values(self) -> "dict[str, object]":
        """Fit for JSON."""
        return {
            **asdict(self),
            "asked": asked_values(self.asked),
            "profile": base64.b64encode(self.profile).decode("ascii"),
        }

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> "Order":
        """Raises ValueError for what `to_values` never wrote."""
        try:
            header = cast("dict[str, object]", values["header"])
            target = cast("dict[str, object]", values["target"])
            placement = cast("dict[str, object]", values["placement"])
            return cls(
                job=text(values["job"]),
                asked=asked_from(cast("Mapping[str, object]", values["asked"])),
                box=box_from(values["box"]),
                header=PictureHeader(
                    whole(header["width"]),
                    whole(header["height"]),
                    cast(Depth, text(header["depth"])),
                    cast(Layout, text(header["layout"])),
                ),
                masked=values["masked"] is True,
                selected=None if values["selected"] is None else box_from(values["selected"]),
                profile=base64.b64decode(text(values["profile"])),
                target=target_from(target),
                placement=Placement(
                    cast(Destination, text(placement["destination"])),
                    placement["group"] is True,
                    placement["keep_upscaled"] is True,
                    placement["mask"] is True,
                    whole(placement["opacity"]),
                ),
                scale=number(values["scale"]),
                began=number(values["began"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no order of a run: {error!r}") from error


def mask_header(picture: PictureHeader) -> PictureHeader:
    """Of any mask of that picture."""
    return PictureHeader(picture.width, picture.height, "u8", "mask")


def asked_values(asked: Asked) -> "dict[str, object]":
    """Fit for JSON."""
    return {
        "settings": json.loads(asked.settings.to_json()),
        "tile": None if asked.tile is None else asdict(asked.tile),
        "reseeded": [[each.x, each.y, each.seed] for each in asked.reseeded],
    }


def asked_from(values: Mapping[str, object]) -> Asked:
    """What `asked_values` made. Raises ValueError, KeyError or TypeError for anything else."""
    settings = values["settings"]
    if not isinstance(settings, dict):
        raise TypeError("settings are no object")
    tile, reseeded = values["tile"], values["reseeded"]
    if not isinstance(reseeded, list) or len(reseeded) > MOST_RESEEDED:
        raise TypeError("reseeded is no list")
    seeds = tuple(Reseeded(*(whole(part) for part in each)) for each in reseeded)
    return Asked(Settings().with_values(settings), None if tile is None else box_from(tile), seeds)


def target_from(values: Mapping[str, object]) -> Target:
    """Raises KeyError, TypeError or ValueError."""
    selected = values["selected"]
    return Target(
        text(values["document"]),
        text(values["file"]),
        box_from(values["canvas"]),
        box_from(values["box"]),
        None if selected is None else box_from(selected),
        text(values["layer"]),
    )


def box_from(values: object) -> Box:
    """Raises KeyError or TypeError."""
    if not isinstance(values, Mapping):
        raise TypeError("a box is no object")
    return Box(*(whole(values[name]) for name in ("x", "y", "width", "height")))


def again_at(order: Order, document: str, placed_size: "tuple[int, int]") -> Order:
    """The same picture once more, for the document in which its results lie now.

    `placed_size`: of the results. A document that was enlarged for them, or made for them, keeps its size this time.
    """
    target, destination = order.target, order.placement.destination
    kept = replace(order.placement, destination="keep")
    if destination == "keep":
        return replace(order, target=replace(target, document=document))
    if destination == "new":
        # The results' own document: it shows what was sent, and no more.
        whole = Box(0, 0, *placed_size)
        there = Target(document, "", whole, whole, None, "")
        return replace(order, target=there, placement=kept, scale=1.0)
    there = replace(
        target,
        document=document,
        canvas=scaled(target.canvas, order.scale),
        box=scaled(target.box, order.scale),
        selected=None if target.selected is None else scaled(target.selected, order.scale),
    )
    return replace(order, target=there, placement=kept, scale=1.0)


def scaled(box: Box, scale: float) -> Box:
    """On the canvas after it was enlarged."""
    return Box(
        round(box.x * scale),
        round(box.y * scale),
        max(1, round(box.width * scale)),
        max(1, round(box.height * scale)),
    )
