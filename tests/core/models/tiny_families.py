"""Every family as a complete pipeline of tiny random weights, saved in diffusers' layout, with CLIP's real vocabulary.

Sizes are such that what tensors don't tell (heads, norm groups) is as in the large ones.
"""

from pathlib import Path

import diffusers
import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxTransformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
)

from scumble_core.models.checkpoints.vocabulary import clip_tokenizer
from scumble_core.models.families import FAMILIES

WIDTH = 32
_SCALED_LINEAR = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
_FACTORS = {"sd15": 0.18215, "sd21": 0.18215, "flux": 0.3611, "z-image": 0.3611}


def pipeline(family: str, channels: int = 0, scheduler: dict | None = None, **network):
    """`channels` that the network reads, where not the family's own; `scheduler`, `network`: changed settings."""
    torch.manual_seed(7)
    flow = family in ("flux", "z-image")
    parts = {**FAMILIES[family].settings, "vae": _autoencoder(family, 16 if flow else 4)}
    if flow:
        parts["scheduler"] = FlowMatchEulerDiscreteScheduler(shift=3.0, **(scheduler or {}))
    else:
        parts["scheduler"] = EulerDiscreteScheduler(**_SCALED_LINEAR, **(scheduler or {}))
    parts |= {name: clip_tokenizer(kind) for name, kind in FAMILIES[family].tokenizers.items()}
    parts |= _BUILT[family](channels, network)
    for part in parts.values():
        if isinstance(part, torch.nn.Module):
            _randomise(part)
    return getattr(diffusers, FAMILIES[family].pipeline)(**parts)


def save_family(family: str, folder: Path, **changed) -> Path:
    """The pipeline in diffusers' layout, safetensors."""
    pipeline(family, **changed).save_pretrained(folder, safe_serialization=True)
    return folder


def _sd15(channels, network):
    return {"unet": _unet(WIDTH, channels, attention_head_dim=8, **network), "text_encoder": _clip("quick_gelu")}


def _sd21(channels, network):
    unet = _unet(WIDTH, channels, use_linear_projection=True, upcast_attention=True, **network)
    return {"unet": unet, "text_encoder": _clip("gelu")}


def _sdxl(channels, network):
    depths = {"transformer_layers_per_block": (1, 2), "use_linear_projection": True}
    unet = _unet(2 * WIDTH, channels, WIDTH + 6 * 256, **depths, **network)
    return {"unet": unet, "text_encoder": _clip("quick_gelu"), "text_encoder_2": _clip("gelu", projected=True)}


def _refiner(channels, network):
    unet = _unet(WIDTH, channels, WIDTH + 5 * 256, use_linear_projection=True, **network)
    return {"unet": unet, "text_encoder_2": _clip("gelu", projected=True)}


def _flux(channels, network):
    settings = {"guidance_embeds": True, **network}
    transformer = FluxTransformer2DModel(
        in_channels=channels or 64, out_channels=64, num_layers=2, num_single_layers=2, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=WIDTH, pooled_projection_dim=WIDTH, axes_dims_rope=(4, 6, 6),
        **settings,
    )  # fmt: skip
    second = T5EncoderModel(
        T5Config(
            vocab_size=64, d_model=WIDTH, d_kv=64, d_ff=37, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu",
        )
    )  # fmt: skip
    return {
        "transformer": transformer, "text_encoder": _clip("quick_gelu"), "text_encoder_2": second,
        "tokenizer_2": _words(),
    }  # fmt: skip


def _z_image(channels, network):
    transformer = ZImageTransformer2DModel(
        in_channels=channels or 16, dim=32, n_layers=2, n_refiner_layers=1, n_heads=2, n_kv_heads=2, cap_feat_dim=WIDTH,
        axes_dims=[4, 6, 6], axes_lens=[1536, 512, 512], **network,
    )  # fmt: skip
    config = Qwen3Config(
        vocab_size=64, hidden_size=WIDTH, intermediate_size=37, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, rope_theta=1e6, max_position_embeddings=40960, tie_word_embeddings=True,
    )  # fmt: skip
    return {"transformer": transformer, "text_encoder": Qwen3Model(config), "tokenizer": _words()}


_BUILT = {
    "sd15": _sd15, "sd21": _sd21, "sdxl": _sdxl, "sdxl-refiner": _refiner, "flux": _flux, "z-image": _z_image,
}  # fmt: skip


def _autoencoder(family: str, channels: int) -> AutoencoderKL:
    flow = channels == 16
    return AutoencoderKL(
        block_out_channels=(32, 32, 32, 64), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=channels, layers_per_block=1,
        scaling_factor=_FACTORS.get(family, 0.13025), shift_factor=0.1159 if flow else None,
        use_quant_conv=not flow, use_post_quant_conv=not flow, force_upcast=family not in ("sd15", "sd21"),
    )  # fmt: skip


def _unet(text: int, channels: int = 0, added: int = 0, **settings) -> UNet2DConditionModel:
    extra = {"attention_head_dim": (1, 1), **settings}
    if added:
        extra |= {"addition_embed_type": "text_time", "addition_time_embed_dim": 256}
        extra["projection_class_embeddings_input_dim"] = added
    return UNet2DConditionModel(
        sample_size=8, in_channels=channels or 4, out_channels=4, block_out_channels=(32, 64), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text, **extra,
    )  # fmt: skip


def _clip(activation: str, projected: bool = False):
    config = CLIPTextConfig(
        vocab_size=49408, hidden_size=WIDTH, intermediate_size=37, num_attention_heads=1, num_hidden_layers=3,
        projection_dim=WIDTH, hidden_act=activation, bos_token_id=49406, eos_token_id=49407, pad_token_id=0,
    )  # fmt: skip
    return CLIPTextModelWithProjection(config) if projected else CLIPTextModel(config)


def _words() -> PreTrainedTokenizerFast:
    """A tokenizer of sixty words, which repeats what it is told in a chat."""
    words = ["<pad>", "</s>", "<unk>", *(f"w{number}" for number in range(40)), *"abcdefgh"]
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=32,
        chat_template="a {% for message in messages %}{{ message['content'] }}{% endfor %} b",
    )  # fmt: skip


def _randomise(module: torch.nn.Module) -> None:
    """What is first set to 0 or 1 would hide a wrong conversion; all that is random stays in bounds."""
    for parameter in module.parameters():
        if parameter.dim() < 2:
            parameter.data += 0.1 * torch.randn_like(parameter)
        elif not parameter.data.any():
            parameter.data = 0.05 * torch.randn_like(parameter)
