"""The sampling phases of the reference node "Mikey Sampler Tiled" and its three siblings.

Facts of the public nodes: Tiled, Base Only, Advanced, Advanced Base Only. No torch here: a plan shows them.
"""

from dataclasses import dataclass
from typing import Literal

from scumble_core.mikey.complexity import start_of, start_step

Role = Literal["base", "refiner"]
MikeyPreset = Literal["mikey", "mikey-base-only", "mikey-advanced", "mikey-advanced-base-only"]

_SAMPLER, _SCHEDULE = "dpmpp_3m_sde", "exponential"
_TILE_STEPS, _TILE_CFG = 20, 7.0


@dataclass(frozen=True)
class Phase:
    """One walk: which model, how, and the part from step `first` to step `last` of a schedule of `steps`.

    `adds_noise`: fresh noise at the start; `full_denoise`: a walk cut short still ends at 0, otherwise with the noise
    of the level it ends at. `seed_offset` is added to the job's seed.
    """

    role: Role
    sampler: str
    schedule: str
    steps: int
    cfg: float
    first: int
    last: int
    seed_offset: int = 0
    adds_noise: bool = True
    full_denoise: bool = True


@dataclass(frozen=True)
class Settings:
    """What a node's user can set; presets without an input ignore it. Ranges are the request's to check.

    `denoise_image` and `tiler_denoise` are 0 to 1, `smooth_step` is -1 to 100.
    """

    steps: int = 30
    smooth_step: int = 1
    cfg: float = 6.5
    sampler: str = _SAMPLER
    schedule: str = _SCHEDULE
    denoise_image: float = 1.0
    tiler_denoise: float = 0.25
    tiler_model: Role = "base"


def first_phases(preset: MikeyPreset, settings: Settings) -> tuple[Phase, ...]:
    """The phases before the upscale, in order; none where the picture isn't sampled first."""
    if preset == "mikey":
        return _fixed_phases(6.5, Phase("refiner", _SAMPLER, _SCHEDULE, 32, 3.5, 15, 32, adds_noise=False))
    if preset == "mikey-base-only":
        second = Phase("base", _SAMPLER, _SCHEDULE, 32, 9.5, 15, 32, seed_offset=1, adds_noise=False)
        return _fixed_phases(5.0, second)
    if preset == "mikey-advanced":
        return _advanced_phases(settings)
    if settings.denoise_image == 0:
        return ()
    start = start_of(settings.denoise_image, settings.steps)
    return (_own("base", settings, settings.steps, start, settings.steps, full_denoise=False),)


def tile_phase(preset: MikeyPreset, settings: Settings, score: float | None = None) -> Phase:
    """The phase that each tile goes through. `score`: the tile's complexity, None where it isn't to count."""
    if preset == "mikey-advanced-base-only":
        start = start_of(settings.tiler_denoise, settings.steps)
        return _own("base", settings, settings.steps, start, settings.steps)
    start = start_of(settings.tiler_denoise, _TILE_STEPS)
    if score is not None:
        start = start_step(score, start)
    role = "base" if preset == "mikey-base-only" else settings.tiler_model
    return Phase(role, _SAMPLER, _SCHEDULE, _TILE_STEPS, _TILE_CFG, start, _TILE_STEPS)


def _fixed_phases(cfg: float, second: Phase) -> tuple[Phase, ...]:
    return Phase("base", _SAMPLER, _SCHEDULE, 30, cfg, 0, 14, full_denoise=False), second


def _advanced_phases(settings: Settings) -> tuple[Phase, ...]:
    steps = settings.steps
    first = start_of(settings.denoise_image, steps)
    last = steps - 1 if first > steps // 2 else steps // 2 - (first % 2 == 0)
    total = steps + settings.smooth_step
    return (
        _own("base", settings, steps, first, last, full_denoise=False),
        _own("refiner", settings, total, last + 1, total, adds_noise=False),
    )


def _own(
    role: Role,
    settings: Settings,
    steps: int,
    first: int,
    last: int,
    adds_noise: bool = True,
    full_denoise: bool = True,
) -> Phase:
    """A phase with the user's own sampler, schedule and guidance."""
    return Phase(
        role,
        settings.sampler,
        settings.schedule,
        steps,
        settings.cfg,
        first,
        last,
        adds_noise=adds_noise,
        full_denoise=full_denoise,
    )
