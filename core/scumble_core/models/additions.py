"""What goes beside a base model: which of it is fit for use, and which a prompt calls. No torch here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found, Kind, fits
from scumble_core.models.index import Entry
from scumble_core.models.tensors import read_tensors
from scumble_core.request import Lora, RefineRequest

# Which text encoders' prompts may call textual inversions.
_INVERTED = frozenset({"sd15", "sd21", "sdxl", "sdxl-refiner"})
# Families whose network is a UNet: only these have ControlNets here.
UNETS = frozenset({"sd15", "sd21", "sdxl"})
# The place of "tile" among a union ControlNet's tasks.
UNION_TILE = 6
_NONE = ("", "none")
_DORA = (".dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight")
_TUCKER = (".hada_t1", ".hada_t2", ".lokr_t2")


@dataclass(frozen=True)
class Additions:
    """What is made part of a base model when it is loaded. `vae`: an id, "" for its own."""

    loras: tuple[Lora, ...] = ()
    vae: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all that is added."""
        return (*(lora.id for lora in self.loras), *([self.vae] if self.vae else []))

    @classmethod
    def of(cls, request: RefineRequest) -> "Additions":
        """Those of a request; a LoRA of weight 0 is none."""
        loras = tuple(lora for lora in request.loras if lora.weight)
        return cls(loras, "" if request.vae in _NONE else request.vae)


NOTHING = Additions()


def controlnet_of(request: RefineRequest) -> str:
    """The ControlNet's id, "" where none is to steer."""
    return "" if request.controlnet in _NONE or not request.controlnet_strength else request.controlnet


def sketcher_among(entries: Iterable[Entry], family: str) -> Path | None:
    """A tiny autoencoder whose decoder shows this family's latents, the first by name; None if there is none.

    Those of SD 1.5 and SDXL have the same tensors: only their names tell which is which.
    """
    fitting = [
        Path(entry.path)
        for entry in entries
        if entry.found is not None
        and entry.found.kind == "vae"
        and entry.found.variant == "tiny"
        and "decoder" in str(entry.found.detail.get("halves", "decoder"))
        and fits(entry.found, family)
        and (entry.found.family != "sd-or-sdxl" or ("xl" in Path(entry.path).stem.lower()) == (family == "sdxl"))
    ]
    return min(fitting, default=None)


def prompts_of(request: RefineRequest) -> tuple[str, ...]:
    """All that are asked for, the negative one last."""
    return (request.prompt, *(region.prompt for region in request.regions), request.negative_prompt)


def check_content(found: Found, kind: Kind, family: str) -> None:
    """Refuse what is of the right kind and family, and yet can't be used. Raises ScumbleError."""
    if kind == "lora":
        _check_lora(found, family)
    if kind == "controlnet":
        _check_controlnet(found, family)
    if kind == "vae" and (found.variant == "tiny" or found.missing):
        what = "a tiny autoencoder for previews" if found.variant == "tiny" else "only half an autoencoder"
        raise ScumbleError("unknown_model", f"{found.path} is {what}: choose a whole one.")


def _check_lora(found: Found, family: str) -> None:
    path = Path(found.path)
    if path.is_dir():
        raise ScumbleError("unknown_model", f"{path} is a folder: choose the LoRA's file in it.")
    names = read_tensors(path).named
    if any(name.endswith(_DORA) for name in names):
        raise ScumbleError("unknown_model", f"{path} is a DoRA, which Scumble can't merge: choose a plain LoRA.")
    if any(name.endswith(_TUCKER) for name in names):
        raise ScumbleError(
            "unknown_model", f"{path} has convolutions in Tucker form, which Scumble can't merge: choose another."
        )
    if family not in UNETS and found.detail.get("layout") == "kohya":
        raise ScumbleError(
            "unknown_model",
            f"{path} is in kohya's layout, which Scumble reads for SD and SDXL alone: get it in diffusers' layout.",
        )


def _check_controlnet(found: Found, family: str) -> None:
    if family not in UNETS:
        raise ScumbleError(
            "unknown_model", f"{found.path} would steer {family}, but Scumble steers SD and SDXL alone: leave it out."
        )
    tasks, task = found.detail.get("tasks"), found.detail.get("task", "")
    if isinstance(tasks, int) and tasks <= UNION_TILE:
        raise ScumbleError(
            "unknown_model",
            f"The union ControlNet {found.path} knows {tasks} tasks, and tiles are none of them: "
            "choose one that does (ProMax), or one for tiles alone.",
        )
    if found.variant != "union" and task not in ("", "tile"):
        raise ScumbleError(
            "unknown_model",
            f"{found.path} is a ControlNet for {task}, but Scumble shows it tiles: choose one for tiles.",
        )


def embeddings_among(entries: Iterable[Entry], family: str) -> Mapping[str, Path]:
    """The textual inversions for a family, by their files' names in lower case; SDXL's serve its refiner, too."""
    if family not in _INVERTED:
        return {}
    family = family.removesuffix("-refiner")
    return {
        Path(entry.path).stem.lower(): Path(entry.path)
        for entry in entries
        if entry.found is not None and entry.found.kind == "embedding" and fits(entry.found, family)
    }
