"""UNets in Stability's layout (LDM) or diffusers': their sizes from their shapes, the rest from the configuration."""

from collections.abc import Mapping
from typing import Any

from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from torch import Tensor

from scumble_core.models.checkpoints.recipe import Recipe, counted

_PREFIX = "model.diffusion_model."


def read_unet(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """`fixed`: `heads` of each attention, or `head_width`; all else that its constructor takes."""
    if "input_blocks.0.0.weight" in tensors:
        tensors = _converted(tensors)
    config = _config(tensors, dict(fixed))
    return Recipe(lambda: UNet2DConditionModel.from_config(config), tensors)


def _converted(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    levels = sum(name.startswith("input_blocks.") and name.endswith(".0.op.weight") for name in tensors) + 1
    layers = counted(tensors, "input_blocks.") // levels - 1
    config: dict[str, int | str] = {"layers_per_block": layers}
    if "label_emb.0.0.weight" in tensors:
        config["addition_embed_type"] = "text_time"
    converted: dict[str, Tensor] = convert_ldm_unet_checkpoint(
        {_PREFIX + name: tensor for name, tensor in tensors.items()}, config
    )
    return converted


def _config(tensors: Mapping[str, Tensor], fixed: dict[str, Any]) -> dict[str, Any]:
    levels = range(counted(tensors, "down_blocks."))
    channels = [tensors[f"down_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in levels]
    attends = [counted(tensors, f"down_blocks.{level}.attentions.") > 0 for level in levels]
    depths = [counted(tensors, f"down_blocks.{level}.attentions.0.transformer_blocks.") or 1 for level in levels]
    if not attends[-1]:
        # The middle has as many as the last level says.
        depths[-1] = counted(tensors, "mid_block.attentions.0.transformer_blocks.") or 1
    heads, width = fixed.pop("heads", None), fixed.pop("head_width", 0)
    named = [(name, tensor.shape) for name, tensor in tensors.items()]
    config = {
        **fixed,
        "in_channels": tensors["conv_in.weight"].shape[1],
        "out_channels": tensors["conv_out.weight"].shape[0],
        "block_out_channels": channels,
        "layers_per_block": counted(tensors, "down_blocks.0.resnets."),
        "down_block_types": ["CrossAttnDownBlock2D" if here else "DownBlock2D" for here in attends],
        "up_block_types": ["CrossAttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attends)],
        "transformer_layers_per_block": depths,
        # diffusers calls the number of heads so.
        "attention_head_dim": heads or [max(1, each // width) for each in channels],
        "cross_attention_dim": next(shape[1] for name, shape in named if name.endswith("attn2.to_k.weight")),
        "use_linear_projection": any(len(shape) == 2 for name, shape in named if name.endswith(".proj_in.weight")),
    }
    if "time_embedding.cond_proj.weight" in tensors:
        config["time_cond_proj_dim"] = tensors["time_embedding.cond_proj.weight"].shape[1]
    if "add_embedding.linear_1.weight" in tensors:
        config["addition_embed_type"] = "text_time"
        config["projection_class_embeddings_input_dim"] = tensors["add_embedding.linear_1.weight"].shape[1]
    return config
