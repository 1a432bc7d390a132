"""What a LoRA's file says of each layer, in the layouts of kohya, diffusers, peft and LyCORIS.

LoRA: Hu et al. 2021, W + (alpha / rank) B A. LoHa: Hyeon-Woo et al. 2021, (B1 A1) * (B2 A2). LoKr: Yeh et al. 2023, a
Kronecker product of two factors. Names and scales are those that the trainers write.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.weights import read_tensors_of

# What each tensor is to its layer, by how its name ends.
_ENDINGS = {
    "down": (
        ".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora.down.weight", "_lora.down.weight",
        ".lora_linear_layer.down.weight",
    ),
    "up": (
        ".lora_up.weight", ".lora_B.weight", ".lora_B.default.weight", ".lora.up.weight", "_lora.up.weight",
        ".lora_linear_layer.up.weight",
    ),
    "mid": (".lora_mid.weight",),
    "alpha": (".alpha",),
    "diff": (".diff",),
    "diff_b": (".diff_b",),
    **{name: (f".{name}",) for name in (
        "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a",
        "lokr_w2_b",
    )},
}  # fmt: skip
_ROLES = sorted(((ending, role) for role, endings in _ENDINGS.items() for ending in endings), key=lambda e: -len(e[0]))


@dataclass(frozen=True, eq=False)
class Change:
    """The change of one layer, by its name in the file; `tensors` by their roles, `scale`: beside the asked weight."""

    layer: str
    tensors: Mapping[str, Tensor]
    scale: float

    def of_weight(self, shape: torch.Size, device: torch.device) -> Tensor | None:
        """What is added to a weight of this shape at weight 1, float32; None where only the bias changes.

        Raises ValueError where the shapes don't fit.
        """
        parts = {role: tensor.to(device, torch.float32) for role, tensor in self.tensors.items()}
        whole = _low_rank(parts) if "down" in parts else _hadamard(parts) if "hada_w1_a" in parts else None
        if whole is None:
            whole = parts.get("diff") if not any("lokr" in role for role in parts) else _kronecker(parts)
        if whole is None:
            return None
        if whole.numel() != shape.numel():
            raise ValueError(f"{tuple(whole.shape)} is no change of a layer of shape {tuple(shape)}")
        return whole.reshape(shape) * self.scale

    def of_bias(self, device: torch.device) -> Tensor | None:
        """What is added to the bias at weight 1."""
        found = self.tensors.get("diff_b")
        return None if found is None else found.to(device, torch.float32)


def read_changes(path: Path) -> list[Change]:
    """All changes in a file. Raises ScumbleError for what is none, or of a kind that Scumble can't merge."""
    layers: dict[str, dict[str, Tensor]] = {}
    for name, tensor in read_tensors_of(path).items():
        found = next(((ending, role) for ending, role in _ROLES if name.endswith(ending)), None)
        if found is not None:
            layers.setdefault(name.removesuffix(found[0]), {})[found[1]] = tensor
    scales = _Scales(_settings(path))
    changes = [Change(layer, tensors, scales.of(layer, tensors)) for layer, tensors in layers.items()]
    changes = [change for change in changes if change.tensors.keys() - {"alpha"}]
    if not changes:
        raise ScumbleError("unknown_model", f"{path} is not a LoRA of a kind that Scumble knows: choose another.")
    return changes


def _low_rank(parts: Mapping[str, Tensor]) -> Tensor:
    up, down = parts["up"], parts["down"]
    if "mid" in parts:
        # A convolution split in three: 1 x 1, the kernel, 1 x 1.
        return torch.einsum("or,rskl,si->oikl", up.flatten(1), parts["mid"], down.flatten(1))
    return up.flatten(1) @ down.flatten(1)


def _hadamard(parts: Mapping[str, Tensor]) -> Tensor:
    first = parts["hada_w1_a"] @ parts["hada_w1_b"]
    return first * (parts["hada_w2_a"] @ parts["hada_w2_b"])


def _kronecker(parts: Mapping[str, Tensor]) -> Tensor:
    first, second = (
        parts[f"lokr_{name}"]
        if f"lokr_{name}" in parts
        else (parts[f"lokr_{name}_a"] @ parts[f"lokr_{name}_b"].flatten(1)).reshape(
            -1, *parts[f"lokr_{name}_b"].shape[1:]
        )
        for name in ("w1", "w2")
    )
    if second.ndim == 4:
        first = first[..., None, None]
    return torch.kron(first, second.contiguous())


def _rank(tensors: Mapping[str, Tensor]) -> int | None:
    """By which alpha is divided; None where a layer's change is whole."""
    for role in ("down", "hada_w1_b", "lokr_w1_b", "lokr_w2_b"):
        if role in tensors:
            return int(tensors[role].shape[0])
    return None


@dataclass(frozen=True)
class _Scales:
    """alpha / rank of each layer; peft keeps alpha in the file's metadata, all others beside the layer."""

    settings: Mapping[str, object]

    def of(self, layer: str, tensors: Mapping[str, Tensor]) -> float:
        rank = _rank(tensors)
        if rank is None:
            return 1.0
        if "alpha" in tensors:
            return float(tensors["alpha"]) / rank
        prefix = next((name for name in ("text_encoder_2", "text_encoder", "unet") if layer.startswith(f"{name}.")), "")
        alpha = self._get(prefix, "lora_alpha")
        patterns = self._get(prefix, "alpha_pattern")
        for pattern, own in patterns.items() if isinstance(patterns, dict) else ():
            if f".{layer}".endswith(f".{pattern}"):
                alpha = own
        if not isinstance(alpha, int | float):
            return 1.0
        return alpha / (rank**0.5 if self._get(prefix, "use_rslora") else rank)

    def _get(self, prefix: str, name: str) -> object:
        return self.settings.get(f"{prefix}.{name}", self.settings.get(name))


def _settings(path: Path) -> Mapping[str, object]:
    """peft's settings, as diffusers writes them into a file."""
    if path.suffix.lower() != ".safetensors":
        return {}
    with safe_open(path, framework="pt") as file:
        told = (file.metadata() or {}).get("lora_adapter_metadata")
    try:
        values = json.loads(told) if told else {}
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
