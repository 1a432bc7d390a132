"""KL autoencoders in Stability's layout or diffusers'."""

from collections.abc import Mapping
from typing import Any

from diffusers import AutoencoderKL
from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
from torch import Tensor

from scumble_core.models.checkpoints.recipe import Recipe, counted

_PREFIX = "first_stage_model."


def read_autoencoder(tensors: dict[str, Tensor], fixed: Mapping[str, Any]) -> Recipe:
    """`fixed`: the factors of its latents, and whether it must run in float32."""
    if "encoder.down.0.block.0.conv1.weight" in tensors:
        levels = ["" for _ in range(counted(tensors, "encoder.down."))]
        prefixed = {_PREFIX + name: tensor for name, tensor in tensors.items() if not name.startswith("loss.")}
        tensors = convert_ldm_vae_checkpoint(prefixed, {"down_block_types": levels, "up_block_types": levels})
    config = _config(tensors, fixed)
    return Recipe(lambda: AutoencoderKL.from_config(config), tensors)


def _config(tensors: Mapping[str, Tensor], fixed: Mapping[str, Any]) -> dict[str, Any]:
    levels = range(counted(tensors, "encoder.down_blocks."))
    return {
        **fixed,
        "block_out_channels": [
            tensors[f"encoder.down_blocks.{level}.resnets.0.conv2.weight"].shape[0] for level in levels
        ],
        "down_block_types": ["DownEncoderBlock2D" for _ in levels],
        "up_block_types": ["UpDecoderBlock2D" for _ in levels],
        "layers_per_block": counted(tensors, "encoder.down_blocks.0.resnets."),
        "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        "use_quant_conv": "quant_conv.weight" in tensors,
        "use_post_quant_conv": "post_quant_conv.weight" in tensors,
    }
