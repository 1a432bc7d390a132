"""Where a run stands: one comparable value, and the sentence and the bar that the panel shows for it."""

from dataclasses import dataclass
from typing import Literal

from scumble.amounts import duration, number
from scumble.words import ntr, tr

Phase = Literal[
    "taking", "connecting", "sending", "waiting", "running", "paused", "stopping", "lost", "fetching", "placing",
    "offered", "ready", "done", "stopped", "failed",
]  # fmt: skip
OVER: "frozenset[Phase]" = frozenset({"done", "stopped", "failed"})
# Nothing goes on by itself: the artist is asked.
ASKING: "frozenset[Phase]" = frozenset({"paused", "offered", "ready"})
# The core has it, or is about to: a lost line concerns it.
AT_CORE: "frozenset[Phase]" = frozenset({"sending", "waiting", "running", "paused", "stopping", "fetching"})


@dataclass(frozen=True)
class RunState:
    """`done` of `total` counts tiles while running, bytes while sending and fetching."""

    phase: Phase
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: "float | None" = None
    message: str = ""

    @property
    def is_over(self) -> bool:
        return self.phase in OVER

    @property
    def is_busy(self) -> bool:
        """Whether something goes on without the artist's doing."""
        return self.phase not in OVER and self.phase not in ASKING

    @property
    def can_pause(self) -> bool:
        return self.phase in ("waiting", "running")

    @property
    def can_cancel(self) -> bool:
        return (self.is_busy and self.phase not in ("placing", "stopping")) or self.phase == "paused"

    @property
    def share(self) -> "float | None":
        """0 to 1 for the bar; None when there is nothing to count."""
        if self.phase not in ("sending", "running", "paused", "fetching") or not self.total:
            return None
        return min(1.0, self.done / self.total)

    @property
    def sentence(self) -> str:
        """What goes on, or what happened, for people."""
        if self.phase == "running":
            return self._running()
        if self.phase == "paused" and self.total:
            return tr("Paused after {done} of {total} tiles.").format(done=number(self.done), total=number(self.total))
        if self.phase == "stopped":
            return tr("Cancelled. The document is as it was.")
        return self.message or self._plain()

    def _plain(self) -> str:
        return {
            "taking": tr("Reading the picture…"),
            "connecting": tr("Connecting to the core…"),
            "sending": tr("Sending the picture…"),
            "waiting": tr("Waiting for the core…"),
            "paused": tr("Paused."),
            "stopping": tr("Stopping…"),
            "lost": tr("The line to the core is lost: trying again…"),
            "fetching": tr("Fetching the result…"),
            "placing": tr("Placing the layers…"),
            "offered": tr("Stopped. What is finished is kept: continue, or discard it."),
            "ready": tr("The result is there: place it, or discard it."),
            "done": tr("Done."),
            "failed": tr("It failed."),
        }[self.phase]

    def _running(self) -> str:
        if self.stage == "queued":
            if not self.done:
                return tr("Waiting for the core…")
            before = ntr("Waiting: {count} job before this one", "Waiting: {count} jobs before this one", self.done)
            return before.format(count=number(self.done))
        name = stage_name(self.stage)
        if self.stage in ("compose", "restarting", "paused") or not self.total:
            return f"{name}…"
        pattern = tr("{stage}: step {at} of {total}") if self.stage == "merge" else tr("{stage}: tile {at} of {total}")
        text = pattern.format(stage=name, at=number(min(self.done + 1, self.total)), total=number(self.total))
        if self.seconds_left is None:
            return text
        return tr("{progress}, {time} left").format(progress=text, time=duration(self.seconds_left))


def stage_name(stage: str) -> str:
    """As people call it; a stage of a newer core by its own name."""
    return {
        "restore": tr("Restoring"),
        "first_pass": tr("First pass"),
        "upscale": tr("Upscaling"),
        "merge": tr("Merging"),
        "tiles": tr("Refining"),
        "compose": tr("Composing"),
        "queued": tr("Waiting"),
        "restarting": tr("Restarting the worker"),
        "paused": tr("Paused"),
    }.get(stage, stage)
