"""What to do when a worker dies in the middle of a job: go on, as long as that gets anywhere."""

from dataclasses import dataclass
from pathlib import Path

# Deaths without a finished tile in between: the tile in hand, not bad luck, is to blame then.
MOST_IN_VAIN = 2


@dataclass(frozen=True)
class Deaths:
    """Deaths of workers over one job. `tiles`: finished ones at the last death; `in_vain`: deaths since a new tile."""

    count: int = 0
    in_vain: int = 0
    tiles: int = 0

    def another(self, tiles: int) -> "Deaths":
        """One more, now that so many tiles are finished."""
        gained = self.count == 0 or tiles > self.tiles
        return Deaths(self.count + 1, 1 if gained else self.in_vain + 1, tiles)

    @property
    def are_hopeless(self) -> bool:
        """Whether a next worker would die of the same."""
        return self.in_vain >= MOST_IN_VAIN


def finished_tiles(folder: Path) -> int:
    """How many tiles lie in a job's folder."""
    return len(finished_keys(folder))


def finished_keys(folder: Path) -> list[str]:
    """The keys of the tiles that lie in a job's folder."""
    tiles = folder / "tiles"
    return [path.stem for path in tiles.iterdir() if path.suffix == ".npy"] if tiles.is_dir() else []


def hopeless(job: str, how: str, deaths: Deaths) -> str:
    """The sentence for the artist."""
    return (
        f"The process that computes {how}, {deaths.in_vain} times at the same place of job {job}, often for want of "
        f"memory: try smaller tiles or a smaller scale. The {deaths.tiles} finished tiles are kept: "
        f"`scumble jobs resume {job}` goes on from them."
    )
