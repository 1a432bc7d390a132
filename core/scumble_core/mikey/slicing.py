"""How the engine of the reference node "Mikey Sampler Tiled" cuts a phase's sigmas out of a whole schedule."""

from torch import Tensor

from scumble_core.mikey.phases import Phase
from scumble_core.sampling.schedules import SCHEDULES

# The engine asks for one step more and leaves the last level above 0 out for these.
_WITHOUT_LAST_LEVEL = frozenset({"uni_pc"})


def phase_sigmas(table: Tensor, phase: Phase) -> Tensor | None:
    """The sigmas that a phase walks down, or None where it leaves the latent as it is.

    `table`: the model's training sigmas, float64 where they are to equal the reference's to the bit.
    """
    if phase.steps < 1:
        return None
    if phase.sampler not in _WITHOUT_LAST_LEVEL:
        return slice_sigmas(SCHEDULES[phase.schedule](table, phase.steps), phase)
    sigmas = SCHEDULES[phase.schedule](table, phase.steps + 1)
    return slice_sigmas(sigmas[[*range(len(sigmas) - 2), -1]], phase)


def slice_sigmas(sigmas: Tensor, phase: Phase) -> Tensor | None:
    """From step `first` to step `last` of a whole schedule; None where no step is left."""
    if phase.last < len(sigmas) - 1:
        sigmas = sigmas[: phase.last + 1].clone()
        if phase.full_denoise and len(sigmas) > 0:
            sigmas[-1] = 0
    if phase.first >= len(sigmas) - 1:
        return None
    return sigmas[phase.first :]
