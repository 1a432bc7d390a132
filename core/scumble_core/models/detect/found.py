"""The answer of detection: one small value for each model that was found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "base", "refiner", "lora", "vae", "controlnet", "embedding", "upscaler", "transformer", "text_encoder", "unknown"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Prediction = Literal["", "epsilon", "v_prediction", "flow", "edm"]
Scalar = str | int | float | bool

# Which families an autoencoder serves. Those of several families have the same tensors, so a file alone may not tell.
AUTOENCODERS: Mapping[str, frozenset[str]] = {
    "sd15": frozenset({"sd15", "sd21"}),
    "sdxl": frozenset({"sdxl", "sdxl-refiner"}),
    "sd-or-sdxl": frozenset({"sd15", "sd21", "sdxl", "sdxl-refiner"}),
    "flux-or-sd3": frozenset({"flux", "z-image", "sd3"}),
    "flux": frozenset({"flux", "z-image"}),
}


@dataclass(frozen=True)
class Traits:
    """What tensors or configurations tell, before anything is known of the file.

    `family`: "sd15", "sd21", "sdxl", "sdxl-refiner", "flux", "z-image", "qwen-image", "sd3"; for autoencoders also
    "sd-or-sdxl" and "flux-or-sd3"; "" where tensors don't tell. `variant`: "inpainting", "turbo", "lightning", "lcm",
    "hyper", "dev", "schnell", "fill", "union", ...; "" for the plain one, or where nothing tells.
    `prediction`: "" where nothing tells.
    """

    kind: Kind
    family: str = ""
    variant: str = ""
    prediction: Prediction = ""
    detail: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A model on the disk. `path`: a file, or a folder in diffusers' layout; `precision`: "fp32", "fp16", "bf16",
    "fp8", "nf4" or a GGUF type, of the most of its weights; `bytes`: of all its weights' files.

    `detail`, where it applies (absent: doesn't, or can't be told):
    - all: `layout` ("ldm", "diffusers", "kohya", "peft", "lycoris", ...), `holds` (of what is not supported),
      `name_says` (a word in the file's name that tensors can neither confirm nor deny, such as "lightning")
    - base, refiner: `missing` (parts that aren't in it, by comma: "vae", "text_encoder", ...), `zero_snr`,
      `variant_from` ("tensors", "metadata", "scheduler"), `shift` (of a flow's scheduler), `channels` (of the
      network's input), `ema`, `pickled` (weights only as pickles), `network_bytes` (of `bytes`, the network's own)
    - lora: `rank`, `text_encoder`, `trigger`; vae: `channels` (of latents), `halves` (of a tiny one, TAESD)
    - controlnet: `task` ("tile", "canny", ...), `task_from`, `tasks` (of a union)
    - embedding: `tokens`, `width`; text_encoder: `encoder` ("clip-l", "clip-g", "open-clip-h", "t5", "qwen", ...)
    - upscaler: `architecture`; once spandrel has looked at it also `scale`, `multiple`, `minimum`, `channels`, `tiling`
    """

    path: str
    kind: Kind
    family: str = ""
    variant: str = ""
    prediction: Prediction = ""
    precision: str = ""
    bytes: int = 0
    title: str = ""
    detail: Mapping[str, Scalar] = field(default_factory=dict, hash=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts without which it can't run alone."""
        told = str(self.detail.get("missing", ""))
        return tuple(told.split(",")) if told else ()

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, fit for JSON."""
        return {**asdict(self), "detail": dict(self.detail)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Found":
        """The inverse. Raises KeyError, TypeError or ValueError for what this class has not written."""
        known = {name: values[name] for name in cls.__dataclass_fields__}
        if known["kind"] not in KINDS:
            raise ValueError(f"no kind of model: {known['kind']}")
        return cls(**known)


def fits(found: Found, family: str) -> bool:
    """Whether this addition (LoRA, ControlNet, VAE, embedding, refiner) may serve beside a base of this family."""
    if found.kind == "refiner":
        return family == "sdxl"
    if found.kind == "vae":
        return found.family == family or family in AUTOENCODERS.get(found.family, frozenset())
    return found.family == family
