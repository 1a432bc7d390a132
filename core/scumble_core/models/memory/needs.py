"""How much memory models take, from what is known of their files. No torch here."""

from collections.abc import Iterable

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found
from scumble_core.models.library import NONE, STARTER_BASE, STARTER_REFINER, STARTER_UPSCALERS, found_of, lender_of
from scumble_core.models.memory.facts import BYTES_OF, ModelNeeds, Precision

# The largest network's share of a model, where nothing tells: that of SDXL's.
_LARGEST_SHARE = 0.75
_STARTER_BYTES = 30_000_000
# What precisions narrower than 16 bits become when they are loaded, in times their bytes.
_WIDENED = {"fp8": 2.0, "nf4": 4.0}
_GGUF_WIDENED = 3.0


def needs_of(model: str) -> ModelNeeds | None:
    """Of a base, a refiner or what goes beside them, with all that another model lends it.

    None for none, for starters' upscalers, and for what can't be found: whoever loads it says so.
    """
    if model in ("", NONE, *STARTER_UPSCALERS):
        return None
    if model in (STARTER_BASE, STARTER_REFINER):
        return ModelNeeds(model, _STARTER_BYTES, _STARTER_BYTES, "float32")
    try:
        found = found_of(model)
        runs = found.kind in ("base", "refiner", "transformer")
        return needs_of_found(model, found, lender_of(found) if runs else None)
    except ScumbleError:
        return None


def all_needs_of(models: Iterable[str]) -> list[ModelNeeds]:
    """Of all of these, each once."""
    return [needs for model in dict.fromkeys(models) if (needs := needs_of(model)) is not None]


def needs_of_found(model: str, found: Found, lender: Found | None = None) -> ModelNeeds:
    """`bytes` of its files, as they lie in memory in the precision that they become. `lender`: of what it lacks."""
    precision, weights = _precision(found), _widened(found, _loaded_bytes(found))
    own = found.detail.get("network_bytes")
    if found.kind not in ("base", "refiner"):
        largest = weights
    else:
        largest = _widened(found, own) if isinstance(own, int) and own else int(weights * _LARGEST_SHARE)
    if lender is not None:
        lent = needs_of_found(model, lender)
        share = BYTES_OF[precision] / BYTES_OF[lent.on_disk]
        weights += int((lent.weights - lent.largest) * share)
    return ModelNeeds(model, weights, largest, precision)


def _loaded_bytes(found: Found) -> int:
    """A checkpoint that keeps its averages has two networks, and one of them is left in the file."""
    own = found.detail.get("network_bytes")
    return found.bytes - own if found.detail.get("ema") and isinstance(own, int) else found.bytes


def _precision(found: Found) -> Precision:
    return "float32" if found.precision == "fp32" else "bfloat16" if found.precision == "bf16" else "float16"


def _widened(found: Found, count: int) -> int:
    if found.precision in ("fp32", "fp16", "bf16", ""):
        return count
    return int(count * _WIDENED.get(found.precision, _GGUF_WIDENED))
