"""What to do first: the core is not installed, not running, or was not found."""

from dataclasses import dataclass

from scumble.core.state import CoreState
from scumble.words import tr


@dataclass(frozen=True)
class Step:
    """`command`: what is to be typed, and copied by a button; "" for none."""

    text: str
    command: str = ""


def guide(state: CoreState) -> "tuple[Step, ...]":
    """The steps from here to a running core; nothing where there is nothing to do."""
    if state.phase == "missing":
        return (
            Step(
                tr("Scumble computes in a program of its own. In a terminal, in Scumble's folder, type:"),
                "./run --krita",
            ),
            Step(tr("Or, where Scumble is installed already:"), "scumble krita install"),
            Step(tr("Then press Start here. Nothing else has to be set up.")),
        )
    if state.phase == "failed":
        return (
            Step(state.sentence),
            Step(tr("To see what it says when it starts, type in a terminal:"), "scumble serve"),
            Step(tr("What is missing is told by:"), "scumble doctor"),
        )
    return ()
