"""A file or a folder, from its path to a Found."""

import struct
from collections import Counter
from dataclasses import replace
from pathlib import Path

from scumble_core.models.detect.additions import (
    controlnet_traits,
    embedding_traits,
    text_encoder_traits,
    vae_traits,
)
from scumble_core.models.detect.flow import flow_traits
from scumble_core.models.detect.found import Found, Prediction, Traits
from scumble_core.models.detect.lora import lora_traits
from scumble_core.models.detect.marks import title_of, with_metadata, with_name
from scumble_core.models.detect.unet import PREFIX, unet_traits
from scumble_core.models.detect.upscaler import upscaler_traits
from scumble_core.models.tensors import BITS, Tensor, Tensors, read_tensors, read_values

# In this order: a LoRA's names hold those of the network that it changes, a checkpoint holds an autoencoder.
_DETECTORS = (
    lora_traits, controlnet_traits, unet_traits, flow_traits, embedding_traits, text_encoder_traits, vae_traits,
    upscaler_traits,
)  # fmt: skip
_PRECISIONS = {
    "F32": "fp32", "F16": "fp16", "BF16": "bf16", "F64": "fp64", "F8_E4M3": "fp8", "F8_E5M2": "fp8", "F4": "fp4",
    "I8": "int8",
}  # fmt: skip
# Of files that hold more than the network: what the network's names begin with.
_NETWORKS = ("model.diffusion_model.", "diffusion_model.", "transformer.")
_PICKLE_WRAPPERS = ("state_dict.", "model.state_dict.")
# Its standard deviation is above the bound in SD 2 models that predict v, and below it in those that predict noise.
_SD2_TELLTALE = f"{PREFIX}output_blocks.11.1.transformer_blocks.0.norm1.bias"
_SD2_BOUND = 0.09


def detect(path: Path) -> Found:
    """What lies there. Raises ScumbleError for what can't be read; what can't be told has the kind "unknown"."""
    if path.is_dir():
        from scumble_core.models.detect.folders import detect_folder

        return detect_folder(path)
    tensors = read_tensors(path)
    found = detect_tensors(path, tensors)
    if found.family == "sd21" and not found.prediction and found.kind in ("base", "transformer"):
        if found.variant == "inpainting":
            return replace(found, prediction="epsilon")
        return replace(found, prediction=_sd2_prediction(path, tensors))
    return found


def detect_tensors(path: Path, tensors: Tensors) -> Found:
    """The same, once the tensors are known."""
    named = traits_of(tensors)
    if named.kind in ("base", "refiner"):
        named = replace(named, detail={**named.detail, "network_bytes": _network_bytes(tensors)})
    traits = with_name(with_metadata(named, tensors.metadata), path.stem)
    return Found(
        path=str(path), kind=traits.kind, family=traits.family, variant=traits.variant, prediction=traits.prediction,
        precision=precision_of(tensors), bytes=tensors.bytes, title=title_of(path, tensors.metadata),
        detail=traits.detail,
    )  # fmt: skip


def traits_of(tensors: Tensors) -> Traits:
    """What the tensors alone tell."""
    for prefix in _PICKLE_WRAPPERS:
        if any(name.startswith(prefix) for name in tensors.named):
            tensors = tensors.within(prefix)
            break
    found = (detector(tensors) for detector in _DETECTORS)
    return next((traits for traits in found if traits is not None), Traits("unknown"))


def precision_of(tensors: Tensors) -> str:
    """The type that most of the weights' bytes have."""
    if any(".quant_state.bitsandbytes__" in name for name in tensors.named):
        return "nf4" if any("bitsandbytes__nf4" in name for name in tensors.named) else "fp4"
    sizes: Counter[str] = Counter()
    for tensor in tensors.named.values():
        sizes[tensor.dtype] += tensor.count * BITS.get(tensor.dtype, 4)
    if not sizes:
        return ""
    most = sizes.most_common(1)[0][0]
    return _PRECISIONS.get(most, most)


def _network_bytes(tensors: Tensors) -> int:
    prefixes = (*_NETWORKS, *(wrapper + name for wrapper in _PICKLE_WRAPPERS for name in _NETWORKS))
    own = (tensor for name, tensor in tensors.named.items() if name.startswith(prefixes))
    return sum(tensor.count * BITS.get(tensor.dtype, 4) // 8 for tensor in own)


def _sd2_prediction(path: Path, tensors: Tensors) -> Prediction:
    tensor = tensors.named.get(_SD2_TELLTALE)
    if tensor is None:
        return ""
    numbers = _numbers(tensor, read_values(path, tensor))
    if not numbers:
        return ""
    mean = sum(numbers) / len(numbers)
    deviation = (sum((each - mean) ** 2 for each in numbers) / len(numbers)) ** 0.5
    return "v_prediction" if deviation > _SD2_BOUND else "epsilon"


def _numbers(tensor: Tensor, data: bytes) -> tuple[float, ...]:
    if tensor.dtype == "BF16":
        data = b"".join(b"\0\0" + data[place : place + 2] for place in range(0, len(data), 2))
    form = {"F32": "f", "F16": "e", "BF16": "f"}.get(tensor.dtype)
    return () if form is None or not data else struct.unpack(f"<{tensor.count}{form}", data)
