"""Tiny ControlNets for the tiny UNets of tests/core/models/tiny.py, in the layouts that artists have."""

import torch
from diffusers import ControlNetModel, ControlNetUnionModel
from safetensors.torch import save_file

HINT = (4, 8, 8, 16)
# The modules of a tiny ControlNet as the first SD code names them; what lies in them goes by the names further below.
LDM = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0", "down_blocks.0.resnets.0": "input_blocks.1.0",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op", "down_blocks.1.resnets.0": "input_blocks.3.0",
    "down_blocks.1.attentions.0": "input_blocks.3.1", "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1", "mid_block.resnets.1": "middle_block.2",
    "controlnet_down_blocks.0": "zero_convs.0.0", "controlnet_down_blocks.1": "zero_convs.1.0",
    "controlnet_down_blocks.2": "zero_convs.2.0", "controlnet_down_blocks.3": "zero_convs.3.0",
    "controlnet_mid_block": "middle_block_out.0",
    "controlnet_cond_embedding.conv_in": "input_hint_block.0",
    "controlnet_cond_embedding.conv_out": "input_hint_block.14",
    **{f"controlnet_cond_embedding.blocks.{place}": f"input_hint_block.{2 * place + 2}" for place in range(6)},
}  # fmt: skip
RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip


def tiny_controlnet(unet, *, tasks=0, seed=3):
    """With weights that are not zero anywhere, so that it does something."""
    torch.manual_seed(seed)
    if tasks:
        made = ControlNetUnionModel.from_unet(unet, load_weights_from_unet=False).config
        config = {name: value for name, value in made.items() if not name.startswith("_")}
        width = unet.config.block_out_channels[0]
        config |= {"num_control_type": tasks, "num_trans_channel": width, "num_proj_channel": width,
                   "conditioning_embedding_out_channels": (*HINT[:3], width)}  # fmt: skip
        net = ControlNetUnionModel.from_config(config)
    else:
        net = ControlNetModel.from_unet(unet, load_weights_from_unet=False, conditioning_embedding_out_channels=HINT)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim > 1 and not parameter.any():
                parameter.normal_(std=0.2)
    return net.eval()


def diffusers_file(path, net):
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, path)
    return path


def ldm_file(path, net, prefix="control_model."):
    tensors = {}
    for name, tensor in net.state_dict().items():
        module = max((module for module in LDM if name.startswith(f"{module}.")), key=len)
        rest = name.removeprefix(f"{module}.")
        if "resnets" in module:
            inner, _, parameter = rest.rpartition(".")
            rest = f"{RESNET[inner]}.{parameter}"
        tensors[f"{prefix}{LDM[module]}.{rest}"] = tensor.contiguous()
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors}, path)
    return path
