"""The same change of a tiny model, written as each trainer writes it."""

import json

import torch
from safetensors.torch import save_file

RANK, ALPHA = 3, 1.5
ATTENTION = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
# Layers of the tiny UNet (tests/core/models/tiny.py) by diffusers' names, and by the first SD code's.
UNET = {
    ATTENTION: "input_blocks_3_1_transformer_blocks_0_attn2_to_k",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0":
        "input_blocks_3_1_transformer_blocks_0_attn1_to_out_0",
    "down_blocks.1.attentions.0.proj_in": "input_blocks_3_1_proj_in",
    "up_blocks.0.attentions.1.transformer_blocks.0.ff.net.0.proj":
        "output_blocks_1_1_transformer_blocks_0_ff_net_0_proj",
    "mid_block.attentions.0.transformer_blocks.0.attn1.to_q": "middle_block_1_transformer_blocks_0_attn1_to_q",
    "down_blocks.0.resnets.0.conv1": "input_blocks_1_0_in_layers_2",
    "down_blocks.0.downsamplers.0.conv": "input_blocks_2_0_op",
    "up_blocks.0.upsamplers.0.conv": "output_blocks_1_2_conv",
    "up_blocks.1.resnets.0.conv_shortcut": "output_blocks_2_0_skip_connection",
    "up_blocks.1.resnets.1.time_emb_proj": "output_blocks_3_0_emb_layers_1",
    "mid_block.resnets.1.conv2": "middle_block_2_out_layers_3",
    "time_embedding.linear_1": "time_embed_0",
    "conv_in": "input_blocks_0_0",
    "conv_out": "out_2",
}  # fmt: skip
TEXT = ("encoder.layers.0.self_attn.q_proj", "encoder.layers.1.mlp.fc1")


def text_parts(family):
    return {"sd15": ("text_encoder",), "sdxl": ("text_encoder", "text_encoder_2")}[family]


def pairs(pipe, family, seed=1):
    """Down and up for each layer, by part and diffusers' name."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for part, names in {"unet": UNET, **dict.fromkeys(text_parts(family), TEXT)}.items():
        for name in names:
            weight = module(getattr(pipe, part), name).weight
            if weight.ndim == 4:
                down = torch.randn(RANK, *weight.shape[1:], generator=generator)
                up = torch.randn(weight.shape[0], RANK, 1, 1, generator=generator)
            else:
                down = torch.randn(RANK, weight.shape[1], generator=generator)
                up = torch.randn(weight.shape[0], RANK, generator=generator)
            found[part, name] = (0.1 * down, 0.1 * up)
    return found


def module(root, name):
    """Of a text encoder with or without its "text_model"."""
    inner = getattr(root, "text_model", root) if name.startswith("encoder.") else root
    return inner.get_submodule(name)


def merged_by_hand(pipe, found, weight):
    """W + weight * alpha / rank * up down, layer by layer, in float64."""
    with torch.no_grad():
        for (part, name), (down, up) in found.items():
            layer = module(getattr(pipe, part), name)
            change = torch.einsum("or,r...->o...", up.flatten(1).double(), down.double())
            layer.weight.copy_(layer.weight.double() + weight * ALPHA / RANK * change)


def kohya(path, found, family, *, ldm=False):
    """`lora_unet_...lora_down.weight` with alpha; SDXL's UNet also by the first code's names."""
    two = len(text_parts(family)) == 2
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_" if two else "lora_te_", "text_encoder_2": "lora_te2_"}
    tensors = {}
    for (part, name), (down, up) in found.items():
        flat = UNET[name] if ldm and part == "unet" else name.replace(".", "_")
        layer = prefixes[part] + ("text_model_" if part != "unet" else "") + flat
        tensors |= {
            f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up, f"{layer}.alpha": torch.tensor(ALPHA),
        }  # fmt: skip
    return _saved(path, tensors)


def peft(path, found, family):
    """`unet....lora_A.weight`; alpha in the metadata."""
    tensors = {}
    for (part, name), (down, up) in found.items():
        layer = f"{part}.{'text_model.' if part != 'unet' else ''}{name}"
        tensors |= {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}
    told = {f"{part}.{key}": value for part in ("unet", *text_parts(family))
            for key, value in (("r", RANK), ("lora_alpha", ALPHA))}  # fmt: skip
    return _saved(path, tensors, {"lora_adapter_metadata": json.dumps(told)})


def diffusers(path, found, family):
    """diffusers' own before peft: `...processor.to_q_lora.down.weight`, `lora_linear_layer` in text encoders."""
    tensors = {}
    for (part, name), (down, up) in found.items():
        scaled = up * ALPHA / RANK  # it knew no alpha
        if part != "unet":
            layer = f"{part}.text_model.{name}.lora_linear_layer"
        elif ".attn" in name:
            block, _, layer = name.removesuffix(".0").rpartition(".")
            layer = f"unet.{block}.processor.{layer}_lora"
        else:
            layer = f"unet.{name}.lora"
        tensors |= {f"{layer}.down.weight": down, f"{layer}.up.weight": scaled}
    return _saved(path, tensors)


def _saved(path, tensors, metadata=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata)
    return path
