"""ControlNets of the tile kind: a copy of a UNet's first half that reads a picture, and tells the UNet to keep to it.

Zhang et al. 2023, "Adding Conditional Control to Text-to-Image Diffusion Models". One for tiles is trained on pictures
that lost their detail, and so keeps what a picture shows while detail is drawn anew. Those called union know several
tasks, and are told which.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.additions import UNION_TILE
from scumble_core.models.ldm_names import from_ldm
from scumble_core.models.weights import read_tensors_of

_PREFIX = "control_model."
_HINT = re.compile(r"input_hint_block_(\d+)")
_ZERO = re.compile(r"zero_convs_(\d+)_0")
_BROKEN = (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError)


class ControlNet:
    """A ControlNet that runs beside a UNet, on its device and in its dtype."""

    def __init__(self, net: Any) -> None:
        self._net = net.eval()
        self._tasks = int(net.config.num_control_type) if "num_control_type" in net.config else 0

    @property
    def modules(self) -> tuple[torch.nn.Module, ...]:
        """What takes memory on the device."""
        return (self._net,)

    def control(self, pixels: Tensor, strength: float) -> "Control":
        """What steers a batch of tiles to these pixels, B x 3 x H x W in 0 to 1, as large as the tiles."""
        return Control(self, pixels, strength)

    @torch.inference_mode()
    def residuals(
        self, control: "Control", scaled: Tensor, time: Tensor, text: Tensor, added: Mapping[str, Tensor] | None
    ) -> dict[str, Any]:
        """What a UNet's call takes beside the same arguments; nothing at strength 0."""
        if control.strength == 0:
            return {}
        dtype = text.dtype
        if self._net.dtype != dtype:
            # The UNet is in float32 for a while, or back from it. Which device it is on others care for.
            self._net.to(dtype)
        shown = control.pixels.to(scaled.device, dtype)
        arguments: dict[str, Any] = {"controlnet_cond": shown}
        if self._tasks:
            kind = torch.zeros(len(scaled), self._tasks, device=scaled.device, dtype=dtype)
            kind[:, UNION_TILE] = 1
            arguments = {"controlnet_cond": [shown], "control_type": kind, "control_type_idx": [UNION_TILE]}
        down, middle = self._net(
            scaled.to(dtype), time, text, conditioning_scale=float(control.strength), added_cond_kwargs=added,
            return_dict=False, **arguments,
        )  # fmt: skip
        return {"down_block_additional_residuals": tuple(down), "mid_block_additional_residual": middle}


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet with the picture to keep to, and how much."""

    net: ControlNet
    pixels: Tensor
    strength: float

    def residuals(
        self, scaled: Tensor, time: Tensor, text: Tensor, added: Mapping[str, Tensor] | None
    ) -> dict[str, Any]:
        """See ControlNet.residuals."""
        return self.net.residuals(self, scaled, time, text, added)


def load_controlnet(path: Path, unet: Any) -> ControlNet:
    """From a folder or a file, in diffusers' layout or the first SD code's; the base's UNet tells what a file doesn't.

    Raises ScumbleError for what is no ControlNet for this UNet, or a union that knows no tiles.
    """
    try:
        net = _from_folder(path) if path.is_dir() else _from_file(path, unet)
    except _BROKEN as error:
        reason = str(error).split("\n", maxsplit=1)[0][:200]
        raise ScumbleError(
            "unknown_model",
            f"The ControlNet {path} can't be loaded beside this base model ({reason}): choose one for its family.",
        ) from error
    if "num_control_type" in net.config and net.config.num_control_type <= UNION_TILE:
        raise ScumbleError(
            "unknown_model",
            f"The union ControlNet {path} knows {net.config.num_control_type} tasks, and tiles are none of them: "
            "choose one that does (ProMax), or one for tiles alone.",
        )
    if list(net.config.block_out_channels) != list(unet.config.block_out_channels):
        raise ScumbleError(
            "unknown_model", f"The ControlNet {path} was made for another family: choose one for the base model's."
        )
    return ControlNet(net.to(unet.device, unet.dtype))


def _from_folder(folder: Path) -> Any:
    kind = _kind(json.loads((folder / "config.json").read_text("utf-8")))
    plain = (folder / "diffusion_pytorch_model.safetensors").exists() or not list(folder.glob("*.fp16.safetensors"))
    return kind.from_pretrained(folder, local_files_only=True, use_safetensors=True, variant=None if plain else "fp16")


def _kind(config: Mapping[str, Any]) -> Any:
    names = ("ControlNetModel", "ControlNetUnionModel")
    name = config.get("_class_name")
    if name not in names:
        raise ValueError(f"it is a {name}")
    return getattr(diffusers, str(name))


def _from_file(path: Path, unet: Any) -> Any:
    tensors = {name.removeprefix(_PREFIX): tensor for name, tensor in read_tensors_of(path).items()}
    beside = path.with_name("config.json")
    with torch.device("meta"):
        if beside.is_file() and "controlnet_cond_embedding.conv_in.weight" in tensors:
            config = json.loads(beside.read_text("utf-8"))
            net = _kind(config).from_config(config)
        else:
            net = _like(unet, tensors)
    if "input_hint_block.0.weight" in tensors:
        tensors = _renamed(tensors, net)
    net.load_state_dict(tensors, strict=True, assign=True)
    return net


def _like(unet: Any, tensors: Mapping[str, Tensor]) -> Any:
    """A ControlNet for this UNet, with all else as the tensors' shapes tell."""
    union = "task_embedding" in tensors
    kind = diffusers.ControlNetUnionModel if union else diffusers.ControlNetModel
    made = kind.from_unet(unet, load_weights_from_unet=False).config
    # diffusers would put its defaults back in the places of what is changed below.
    config = {name: value for name, value in made.items() if not name.startswith("_")}
    first = tensors.get("conv_in.weight", tensors.get("input_blocks.0.0.weight"))
    if first is not None:
        config["in_channels"] = int(first.shape[1])  # a UNet that fills holes has more
    config["conditioning_embedding_out_channels"] = _hint_channels(tensors)
    if union:
        tasks, width = tensors["task_embedding"].shape
        layers = {name.split(".")[1] for name in tensors if name.startswith("transformer_layes.")}
        config |= {
            "num_control_type": int(tasks), "num_trans_channel": int(width), "num_trans_layer": len(layers),
            "num_proj_channel": int(tensors["spatial_ch_projs.weight"].shape[0]),
        }  # fmt: skip
    return kind.from_config(config)


def _hint_channels(tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
    """The widths of the layers that read the picture; each but the first comes with a layer that halves it."""
    found = {}
    for name, tensor in tensors.items():
        ours = _renamed_layer(name.removesuffix(".weight").replace(".", "_"), 2) if name.endswith(".weight") else ""
        match = re.fullmatch(r"controlnet_cond_embedding_(?:conv_in|blocks_(\d+))", ours)
        if match and (match[1] is None or int(match[1]) % 2):
            found[-1 if match[1] is None else int(match[1])] = int(tensor.shape[0])
    return tuple(channels for _, channels in sorted(found.items()))


def _renamed(tensors: Mapping[str, Tensor], net: Any) -> dict[str, Tensor]:
    """The first SD code's names in diffusers' words."""
    modules = {name.replace(".", "_"): name for name, _ in net.named_modules()}
    renamed = {}
    for name, tensor in tensors.items():
        layer, _, parameter = name.rpartition(".")
        ours = _renamed_layer(layer.replace(".", "_"), net.config.layers_per_block)
        renamed[f"{modules.get(ours, ours)}.{parameter}"] = tensor
    return renamed


def _renamed_layer(name: str, layers_per_block: int) -> str:
    hint, zero = _HINT.fullmatch(name), _ZERO.fullmatch(name)
    if zero:
        return f"controlnet_down_blocks_{zero[1]}"
    if name == "middle_block_out_0":
        return "controlnet_mid_block"
    if hint:
        # Every other layer there is an activation; the last convolution comes after six others.
        place = int(hint[1]) // 2
        last = "conv_in" if place == 0 else "conv_out"
        return f"controlnet_cond_embedding_{last if place in (0, 7) else f'blocks_{place - 1}'}"
    return from_ldm(name, layers_per_block)
