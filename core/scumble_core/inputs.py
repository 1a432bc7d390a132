"""What lies in a job's folder when it begins. No torch here."""

from dataclasses import dataclass
from pathlib import Path

from scumble_core.picture.colour import ColourSpace
from scumble_core.picture.storage import Picture
from scumble_core.request import RefineRequest
from scumble_core.stages.maps import check_masks
from scumble_core.stages.prepare import check_source


@dataclass(frozen=True, eq=False)
class Inputs:
    """What lies in a job's folder beside the request (see docs/architecture.md).

    `space`: of the source's colours; `strength`: a map of where to refine more, or None; `regions`: a mask for each of
    the request's regions.
    """

    source: Picture
    selection: Picture | None
    space: ColourSpace
    strength: Picture | None
    regions: tuple[Picture, ...]

    @classmethod
    def load(cls, folder: Path, request: RefineRequest) -> "Inputs":
        """Open and check all of it. Raises PictureError."""
        source = Picture.open(folder / "source.npy")
        selection, strength = (_optional(folder / f"{name}.npy") for name in ("selection", "strength"))
        numbers = range(1, len(request.regions) + 1)
        regions = tuple(Picture.open(folder / f"region-{number}.npy") for number in numbers)
        check_source(source, selection)
        check_masks([*regions, *([] if strength is None else [strength])], source.extent)
        return cls(source, selection, ColourSpace.load(folder / "profile.icc"), strength, regions)


def _optional(path: Path) -> Picture | None:
    return Picture.open(path) if path.exists() else None
