"""Pipelines written as the single files that artists have: Stability's layout, Flux's own, all in one.

The inverse of what is read in models/checkpoints, written from the layouts' public descriptions.
"""

import re
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection",
}  # fmt: skip
_UNET_AROUND = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0", "conv_out": "out.2", "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2", "time_embedding.cond_proj": "time_embed.cond_proj",
}  # fmt: skip


def unet_as_ldm(unet) -> dict[str, Tensor]:
    layers = unet.config.layers_per_block
    return {_unet_name(name, layers, unet): tensor for name, tensor in unet.state_dict().items()}


def _unet_name(name: str, layers: int, unet) -> str:
    layer, _, kind = name.rpartition(".")
    if layer in _UNET_AROUND:
        return f"{_UNET_AROUND[layer]}.{kind}"
    if match := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        place = 1 if match[1] == "attentions" else 2 * int(match[2])
        return f"middle_block.{place}.{_resnet_inner(match[1], match[3])}"
    side, block, what, number, inner = re.match(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", name).groups()
    first = (1 if side == "down" else 0) + int(block) * (layers + 1)
    blocks = "input_blocks" if side == "down" else "output_blocks"
    if what == "downsamplers":
        return f"{blocks}.{first + layers}.0.op.{kind}"
    if what == "upsamplers":
        attends = "CrossAttn" in type(unet.up_blocks[int(block)]).__name__
        return f"{blocks}.{first + layers}.{2 if attends else 1}.conv.{kind}"
    return f"{blocks}.{first + int(number)}.{0 if what == 'resnets' else 1}.{_resnet_inner(what, inner)}"


def _resnet_inner(what: str, inner: str) -> str:
    if what == "attentions":
        return inner
    layer, _, kind = inner.rpartition(".")
    return f"{_RESNET[layer]}.{kind}"


def vae_as_ldm(vae) -> dict[str, Tensor]:
    levels = len(vae.config.block_out_channels)
    out = {}
    for name, tensor in vae.state_dict().items():
        new = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", name)
        new = re.sub(r"up_blocks\.(\d)\.resnets\.", lambda m: f"up.{levels - 1 - int(m[1])}.block.", new)
        new = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", new)
        new = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", new)
        new = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", new)
        new = new.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if "mid_block.attentions.0" in new:
            new = new.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
            new = new.replace("to_out.0", "proj_out")
            new = re.sub(r"to_([qkv])\.", r"\1.", new)
        out[new] = tensor[:, :, None, None] if "attn_1" in new and tensor.dim() == 2 else tensor
    return out


def clip_as_kept(encoder) -> dict[str, Tensor]:
    """As OpenAI's are: every name begins so, whatever transformers' release says."""
    named = encoder.state_dict().items()
    kept = {name if name.startswith("text_") else f"text_model.{name}": tensor for name, tensor in named}
    return {**kept, "text_model.embeddings.position_ids": torch.arange(77)[None]}


def clip_as_open_clip(encoder, spare_layers: int = 0) -> dict[str, Tensor]:
    names = clip_as_kept(encoder)
    width = names["text_model.final_layer_norm.weight"].shape[0]
    out = {
        "positional_embedding": names["text_model.embeddings.position_embedding.weight"],
        "token_embedding.weight": names["text_model.embeddings.token_embedding.weight"],
        "ln_final.weight": names["text_model.final_layer_norm.weight"],
        "ln_final.bias": names["text_model.final_layer_norm.bias"],
        "text_projection": names.get("text_projection.weight", torch.zeros(width, width)).T.contiguous(),
        "logit_scale": torch.zeros(()),
    }
    layers = len({name.split(".")[3] for name in names if ".layers." in name})
    for number in range(layers + spare_layers):
        before = f"text_model.encoder.layers.{min(number, layers - 1)}."
        block = f"transformer.resblocks.{number}."
        for kind in ("weight", "bias"):
            parts = [names[f"{before}self_attn.{letter}_proj.{kind}"] for letter in "qkv"]
            out[f"{block}attn.in_proj_{kind}"] = torch.cat(parts)
            for theirs, ours in (
                ("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
                ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"),
            ):  # fmt: skip
                out[f"{block}{ours}.{kind}"] = names[f"{before}{theirs}.{kind}"]
    return out


def flux_as_published(transformer) -> dict[str, Tensor]:
    names = dict(transformer.state_dict())
    out = {}
    around = {
        "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
        "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
        "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
        "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
        "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
        "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
        "context_embedder": "txt_in", "x_embedder": "img_in", "proj_out": "final_layer.linear",
    }  # fmt: skip
    for theirs, ours in around.items():
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" in names:
                out[f"{ours}.{kind}"] = names[f"{theirs}.{kind}"]
    for kind in ("weight", "bias"):
        scale, shift = names[f"norm_out.linear.{kind}"].chunk(2)
        out[f"final_layer.adaLN_modulation.1.{kind}"] = torch.cat([shift, scale])
    for number in range(transformer.config.num_layers):
        out.update(_double_block(names, f"transformer_blocks.{number}.", f"double_blocks.{number}."))
    for number in range(transformer.config.num_single_layers):
        out.update(_single_block(names, f"single_transformer_blocks.{number}.", f"single_blocks.{number}."))
    return out


def _double_block(names, before, after):
    out = {}
    for kind in ("weight", "bias"):
        out[f"{after}img_attn.qkv.{kind}"] = torch.cat([names[f"{before}attn.to_{each}.{kind}"] for each in "qkv"])
        added = [names[f"{before}attn.add_{each}_proj.{kind}"] for each in "qkv"]
        out[f"{after}txt_attn.qkv.{kind}"] = torch.cat(added)
        for theirs, ours in (
            ("norm1.linear", "img_mod.lin"), ("norm1_context.linear", "txt_mod.lin"),
            ("attn.to_out.0", "img_attn.proj"), ("attn.to_add_out", "txt_attn.proj"),
            ("ff.net.0.proj", "img_mlp.0"), ("ff.net.2", "img_mlp.2"),
            ("ff_context.net.0.proj", "txt_mlp.0"), ("ff_context.net.2", "txt_mlp.2"),
        ):  # fmt: skip
            out[f"{after}{ours}.{kind}"] = names[f"{before}{theirs}.{kind}"]
    for theirs, ours in (
        ("norm_q", "img_attn.norm.query_norm"), ("norm_k", "img_attn.norm.key_norm"),
        ("norm_added_q", "txt_attn.norm.query_norm"), ("norm_added_k", "txt_attn.norm.key_norm"),
    ):  # fmt: skip
        out[f"{after}{ours}.scale"] = names[f"{before}attn.{theirs}.weight"]
    return out


def _single_block(names, before, after):
    out = {}
    for kind in ("weight", "bias"):
        fused = [names[f"{before}attn.to_{each}.{kind}"] for each in "qkv"]
        out[f"{after}linear1.{kind}"] = torch.cat([*fused, names[f"{before}proj_mlp.{kind}"]])
        out[f"{after}linear2.{kind}"] = names[f"{before}proj_out.{kind}"]
        out[f"{after}modulation.lin.{kind}"] = names[f"{before}norm.linear.{kind}"]
    for theirs, ours in (("norm_q", "query_norm"), ("norm_k", "key_norm")):
        out[f"{after}norm.{ours}.scale"] = names[f"{before}attn.{theirs}.weight"]
    return out


def z_image_as_published(transformer) -> dict[str, Tensor]:
    names = dict(transformer.state_dict())
    out = {}
    for name, tensor in names.items():
        if match := re.match(r"(.*\.attention)\.to_([qkv])\.weight", name):
            if match[2] == "q":
                fused = [names[f"{match[1]}.to_{each}.weight"] for each in "qkv"]
                out[f"{match[1]}.qkv.weight"] = torch.cat(fused)
            continue
        new = name.replace("all_final_layer.2-1.", "final_layer.").replace("all_x_embedder.2-1.", "x_embedder.")
        new = new.replace("attention.to_out.0", "attention.out")
        out[new.replace("attention.norm_q", "attention.q_norm").replace("attention.norm_k", "attention.k_norm")] = (
            tensor
        )
    return out


def single_file(family: str, pipe) -> dict[str, Tensor]:
    """The whole pipeline's tensors under the names of a checkpoint."""
    network = {
        "flux": lambda: flux_as_published(pipe.transformer), "z-image": lambda: z_image_as_published(pipe.transformer)
    }.get(family, lambda: unet_as_ldm(pipe.unet))()  # fmt: skip
    vae = vae_as_ldm(pipe.vae)
    texts = {
        "sd15": lambda: {"cond_stage_model.transformer.": clip_as_kept(pipe.text_encoder)},
        "sd21": lambda: {"cond_stage_model.model.": clip_as_open_clip(pipe.text_encoder, spare_layers=1)},
        "sdxl": lambda: {
            "conditioner.embedders.0.transformer.": clip_as_kept(pipe.text_encoder),
            "conditioner.embedders.1.model.": clip_as_open_clip(pipe.text_encoder_2),
        },
        "sdxl-refiner": lambda: {"conditioner.embedders.0.model.": clip_as_open_clip(pipe.text_encoder_2)},
        "flux": lambda: {
            "text_encoders.clip_l.transformer.": clip_as_kept(pipe.text_encoder),
            "text_encoders.t5xxl.transformer.": {
                name: tensor
                for name, tensor in pipe.text_encoder_2.state_dict().items()
                if name != "encoder.embed_tokens.weight"
            },
        },
        "z-image": lambda: {
            "text_encoders.qwen3_4b.transformer.model.": dict(pipe.text_encoder.state_dict()),
        },
    }[family]()
    around = {"model.diffusion_model.": network, "vae." if family in ("flux", "z-image") else "first_stage_model.": vae}
    return {prefix + name: tensor for prefix, inner in {**around, **texts}.items() for name, tensor in inner.items()}


def save_single(family: str, pipe, path: Path, metadata: dict[str, str] | None = None, marks: tuple[str, ...] = ()):
    """The checkpoint as a file. `marks`: empty tensors that trainers leave ("v_pred", "ztsnr")."""
    tensors = {name: tensor.clone().contiguous() for name, tensor in single_file(family, pipe).items()}
    tensors |= {mark: torch.zeros(0) for mark in marks}
    save_file(tensors, path, metadata={"format": "pt", **(metadata or {})})
    return path
