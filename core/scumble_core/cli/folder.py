"""Fill a job's folder with what the command line was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scumble_core.cli.part import SelectedPart, extent_of, fitting_mask
from scumble_core.files.read import Pixels, ReadPicture
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Picture


@dataclass(frozen=True)
class Masks:
    """Files of the picture's own size: a strength map, and a mask for each region."""

    strength: Path | None
    regions: Sequence[Path]


def fill_folder(folder: Path, document: ReadPicture, part: SelectedPart | None, masks: Masks) -> None:
    """The source, its profile, what is selected of it, and its maps."""
    extent = extent_of(document.pixels)
    crop = Bounds.of(extent) if part is None else part.crop
    _put(folder / "source.npy", document.pixels[crop.slices])
    if document.profile is not None:
        (folder / "profile.icc").write_bytes(document.profile)
    if part is not None:
        _put(folder / "selection.npy", part.mask)
    named = [(f"region-{number}", path) for number, path in enumerate(masks.regions, start=1)]
    if masks.strength is not None:
        named.append(("strength", masks.strength))
    for name, path in named:
        _put(folder / f"{name}.npy", fitting_mask(path, extent)[crop.slices])


def _put(path: Path, pixels: Pixels) -> None:
    picture = Picture.create(path, extent_of(pixels), pixels.shape[2], pixels.dtype)
    picture.write_raw(picture.bounds, np.ascontiguousarray(pixels))
    picture.flush()
