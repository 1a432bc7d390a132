"""Which layer of which part a name in a LoRA's file means.

Trainers write a layer's path with dots or underscores, as diffusers names it or as the first SD code does, behind one
of several prefixes. All are brought to one form: diffusers' path with underscores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scumble_core.models.ldm_names import from_ldm

# The parts of a pipeline by the prefixes that stand for them; the longest first.
_PREFIXES = (
    ("lora_unet_", "network"), ("lora_transformer_", "network"), ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"), ("lora_te_", "text_encoder"), ("text_encoder_2_", "text_encoder_2"),
    ("text_encoder_", "text_encoder"), ("unet_", "network"), ("transformer_", "network"),
    ("diffusion_model_", "network"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Layers:
    """The layers of a pipeline that can be changed. `parts`: "network", "text_encoder", "text_encoder_2", as loaded."""

    parts: Mapping[str, Any]

    def __post_init__(self) -> None:
        named = {
            part: {_flat(path): module for path, module in root.named_modules() if hasattr(module, "weight")}
            for part, root in self.parts.items()
        }
        object.__setattr__(self, "_named", named)

    def find(self, name: str) -> Any | None:
        """The module that a name in a file means; None if there is none."""
        part, rest = split(name)
        named: Mapping[str, Any] = self._named.get(part, {})  # type: ignore[attr-defined]
        if rest in named or part != "network":
            return named.get(rest)
        return named.get(from_ldm(rest, getattr(self.parts["network"].config, "layers_per_block", 2)))


def split(name: str) -> tuple[str, str]:
    """The part, and the layer's path in it with underscores."""
    flat = _flat(name.removeprefix("base_model.model."))
    for prefix, part in _PREFIXES:
        if flat.startswith(prefix):
            return part, _flat(flat.removeprefix(prefix))
    return "network", flat


def _flat(path: str) -> str:
    """With underscores for dots, without what only some versions of a library write."""
    flat = path.replace(".", "_").removeprefix("text_model_")
    flat = flat.replace("_processor_to_", "_to_")
    return f"{flat}_0" if flat.endswith("_to_out") else flat


def parts_of(pipe: Any) -> Mapping[str, Any]:
    """A loaded pipeline's parts by the names used here."""
    found = {"network": getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)}
    found |= {name: getattr(pipe, name, None) for name in ("text_encoder", "text_encoder_2")}
    return {name: part for name, part in found.items() if part is not None}
