"""What a result's summary tells of the work, and the sentence that says how little there was to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from scumble.amounts import duration, number
from scumble.words import ntr, tr


@dataclass(frozen=True)
class Tidings:
    """`tiles`: that had to be refined in all; `taken_over`: of all stages, those that earlier work had finished."""

    seconds: float = 0.0
    tiles: int = 0
    taken_over: int = 0

    @classmethod
    def of(cls, summary: Mapping[str, object]) -> "Tidings":
        """What can't be read is 0."""
        seconds, stages = summary.get("seconds"), summary.get("stages")
        taken = [summary.get(name) for name in ("tiles_taken_over", "upscaled_taken_over")]
        tiles = 0
        for stage in stages.values() if isinstance(stages, Mapping) else ():
            # Without an upscaler the plan still names a tile: plain resampling, which nobody would keep.
            made = isinstance(stage, Mapping) and stage.get("factor") != 1
            count = stage.get("tiles") if made else 0
            tiles += count if isinstance(count, int) else 0
        return cls(
            float(seconds) if isinstance(seconds, (int, float)) else 0.0,
            tiles,
            sum(count for count in taken if isinstance(count, int)),
        )


def done_sentence(tidings: Tidings) -> str:
    """For the artist."""
    if not tidings.taken_over:
        return tr("Done in {time}.").format(time=duration(tidings.seconds))
    left = max(0, tidings.tiles - tidings.taken_over)
    if not left:
        return tr("Done in {time}: all was there already.").format(time=duration(tidings.seconds))
    pattern = ntr(
        "Done in {time}: only {count} tile of {total} had to be made anew.",
        "Done in {time}: only {count} tiles of {total} had to be made anew.",
        left,
    )
    return pattern.format(time=duration(tidings.seconds), count=number(left), total=number(tidings.tiles))
