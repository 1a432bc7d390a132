"""How the core does: one comparable value, and the sentences that the panel shows for it."""

from dataclasses import dataclass
from typing import Literal

from scumble.words import tr
from scumble_bridge.messages import Described

Phase = Literal["off", "missing", "starting", "connected", "lost", "stopping", "failed"]


@dataclass(frozen=True)
class CoreState:
    """`missing`: not installed; `off`: nobody answers, and nobody asked for a start; `failed`: it could not be started.

    `message`: why, in one sentence. `described`: what the core told of itself last. `own`: the panel's version.
    """

    phase: Phase = "off"
    message: str = ""
    described: "Described | None" = None
    own: str = ""

    @property
    def sentence(self) -> str:
        """For people; never empty."""
        return {
            "off": tr("The core is not running. It starts by itself when it is needed."),
            "missing": tr("The core is not installed yet."),
            "starting": tr("Starting the core…"),
            "connected": tr("The core is running."),
            "lost": tr("The line to the core is lost: trying again…"),
            "stopping": tr("The core is ending…"),
            "failed": self.message or tr("The core could not be started."),
        }[self.phase]

    @property
    def mismatch(self) -> str:
        """What to do when panel and core are of two versions; "" when they aren't, or it isn't known."""
        core = "" if self.described is None else self.described.core_version
        if not self.own or not core or core in (self.own, "not installed"):
            return ""
        return tr(
            "The panel is of version {panel}, the core of {core}: update both with `scumble krita install`, and start "
            "Krita anew."
        ).format(panel=self.own, core=core)
