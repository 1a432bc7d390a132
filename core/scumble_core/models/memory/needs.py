"""How much memory models take, from what is known of their files. No torch here."""

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found
from scumble_core.models.library import NONE, STARTER_BASE, STARTER_REFINER, found_of
from scumble_core.models.memory.facts import ModelNeeds, Precision

# The largest network's share of a model, where nothing tells: that of SDXL's.
_LARGEST_SHARE = 0.75
_STARTER_BYTES = 30_000_000
# What precisions narrower than 16 bits become when they are loaded, in times their bytes.
_WIDENED = {"fp8": 2.0, "nf4": 4.0}
_GGUF_WIDENED = 3.0


def needs_of(model: str) -> ModelNeeds | None:
    """Of a base, a refiner or a ControlNet; None for none, and for what can't be found: whoever loads it says so."""
    if model in ("", NONE):
        return None
    if model in (STARTER_BASE, STARTER_REFINER):
        return ModelNeeds(model, _STARTER_BYTES, _STARTER_BYTES, "float32")
    try:
        return needs_of_found(model, found_of(model))
    except ScumbleError:
        return None


def needs_of_found(model: str, found: Found) -> ModelNeeds:
    """`bytes` of its files, as they lie in memory in the precision that they become."""
    precision: Precision = (
        "float32" if found.precision == "fp32" else "bfloat16" if found.precision == "bf16" else "float16"
    )
    widened = 1.0
    if found.precision not in ("fp32", "fp16", "bf16", ""):
        widened = _WIDENED.get(found.precision, _GGUF_WIDENED)
    weights = int(found.bytes * widened)
    return ModelNeeds(model, weights, int(weights * _LARGEST_SHARE), precision)
