"""What a reader makes of a part's tensors, and how that becomes a module without a second copy in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import init_empty_weights
from torch import Tensor

from scumble_core.errors import ScumbleError

# What old files hold beside the weights: numbers that are computed anew.
SPARE = ("position_ids", "num_batches_tracked", "inv_freq")
_TEXT_MODEL = "text_model."


@dataclass(frozen=True)
class Recipe:
    """How to make the module, empty, and its tensors by diffusers' and transformers' names."""

    make: Callable[[], Any]
    tensors: dict[str, Tensor]


def counted(names: Mapping[str, object], before: str, after: str = "") -> int:
    """How many numbers follow `before` in names that begin so and, after the number, contain `after`."""
    rests = (name.removeprefix(before).partition(".") for name in names if name.startswith(before))
    return len({number for number, _, rest in rests if number.isdigit() and after in rest})


def built(recipe: Recipe, dtype: torch.dtype, part: str) -> Any:
    """The module with its weights, in this dtype; those that have it already stay where they lie, in the file's map.

    Raises ScumbleError when tensors are missing or misshapen, or belong to another build.
    """
    with init_empty_weights(include_buffers=False):
        module = recipe.make()
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    fitted = {_named(name, shapes): tensor for name, tensor in recipe.tensors.items() if not name.endswith(SPARE)}
    missing = [name for name in shapes if name not in fitted]
    spare = [name for name in fitted if name not in shapes]
    wrong = [name for name, shape in shapes.items() if name in fitted and fitted[name].shape != shape]
    for names, what in ((missing, "lacks"), (spare, "has, of another build,"), (wrong, "has in another shape")):
        if names:
            raise ScumbleError("unknown_model", f"its {part.replace('_', ' ')} {what} {some(names)}")
    module.load_state_dict({name: tensor.to(dtype) for name, tensor in fitted.items()}, strict=True, assign=True)
    return module.eval().requires_grad_(False)


def _named(name: str, known: Mapping[str, object]) -> str:
    """transformers' releases don't agree on whether a text model's names begin so."""
    if name in known:
        return name
    other = name.removeprefix(_TEXT_MODEL) if name.startswith(_TEXT_MODEL) else _TEXT_MODEL + name
    return other if other in known else name


def some(names: list[str]) -> str:
    """For people."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"
