"""A plan as JSON, whichever way of running a job it is for."""

from typing import Any, Protocol

from scumble_core.models.additions import Additions, controlnet_of
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.request import RefineRequest


class Describable(Protocol):
    """What every plan tells of itself."""

    @property
    def request(self) -> RefineRequest: ...

    @property
    def source(self) -> Extent: ...

    @property
    def output(self) -> Extent: ...

    @property
    def result(self) -> Bounds: ...

    @property
    def refiner(self) -> str: ...

    @property
    def upscaler(self) -> str: ...

    @property
    def model_calls(self) -> int: ...

    @property
    def megapixels(self) -> float: ...

    @property
    def disk_bytes(self) -> int: ...

    @property
    def seconds(self) -> float: ...

    def stages(self) -> dict[str, dict[str, object]]:
        """Per stage, its tiles and settings."""


def described(plan: Describable) -> dict[str, Any]:
    """For `scumble plan --json` and the results' metadata."""
    return {
        "preset": plan.request.preset,
        "source": [plan.source.width, plan.source.height],
        "output": [plan.output.width, plan.output.height],
        "result": [plan.result.x, plan.result.y, plan.result.width, plan.result.height],
        "models": {
            "base": plan.request.base, "refiner": plan.refiner, "upscaler": plan.upscaler, **_added(plan.request),
        },
        "stages": plan.stages(),
        "model_calls": plan.model_calls,
        "megapixels": round(plan.megapixels, 3),
        "disk_bytes": plan.disk_bytes,
        "seconds_estimate": round(plan.seconds, 1),
    }  # fmt: skip


def _added(request: RefineRequest) -> dict[str, object]:
    """What is added to the base, as far as there is any."""
    added: dict[str, object] = {"loras": [lora._asdict() for lora in Additions.of(request).loras]}
    added |= {"vae": Additions.of(request).vae, "controlnet": controlnet_of(request)}
    return {name: value for name, value in added.items() if value}
