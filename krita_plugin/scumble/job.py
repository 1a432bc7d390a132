"""Where a job stands: one comparable value, and the sentence and the bar that the panel shows for it."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal[
    "idle", "connecting", "sending", "waiting", "running", "receiving", "placing", "done", "stopped", "failed"
]
BUSY: "frozenset[Phase]" = frozenset({"connecting", "sending", "waiting", "running", "receiving", "placing"})
STAGES = {
    "first_pass": "First pass",
    "upscale": "Upscaling",
    "merge": "Merging",
    "tiles": "Refining",
    "compose": "Composing",
    "queued": "Waiting",
    "restarting": "Restarting the worker",
    "paused": "Paused",
}


@dataclass(frozen=True)
class JobState:
    """`done` of `total` counts tiles while running, bytes while sending and receiving."""

    phase: Phase = "idle"
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: "float | None" = None
    message: str = ""

    @property
    def is_busy(self) -> bool:
        return self.phase in BUSY

    @property
    def share(self) -> "float | None":
        """0 to 1 for the bar; None when there is nothing to count."""
        if self.phase not in ("sending", "running", "receiving") or not self.total:
            return None
        return min(1.0, self.done / self.total)

    @property
    def sentence(self) -> str:
        """What goes on, or what happened, for people."""
        if self.phase == "running":
            return self._running()
        plain = {
            "idle": "",
            "connecting": "Connecting to the core…",
            "sending": "Sending the picture…",
            "waiting": "Waiting for the core…",
            "receiving": "Fetching the result…",
            "placing": "Placing the layers…",
            "done": self.message,
            "stopped": "Cancelled. The document is as it was.",
            "failed": self.message,
        }
        return plain[self.phase]

    def _running(self) -> str:
        name = STAGES.get(self.stage, self.stage)
        if self.stage == "queued":
            before = f"Waiting: {self.done} {'job' if self.done == 1 else 'jobs'} before this one"
            return before if self.done else "Waiting for the core…"
        if self.stage in ("compose", "restarting", "paused") or not self.total:
            return f"{name}…"
        unit = "step" if self.stage == "merge" else "tile"
        text = f"{name}: {unit} {min(self.done + 1, self.total)} of {self.total}"
        return text if self.seconds_left is None else f"{text}, {time_left(self.seconds_left)} left"


def time_left(seconds: float) -> str:
    """Rounded as people say it."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
