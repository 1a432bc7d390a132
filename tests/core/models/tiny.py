"""Complete diffusers pipelines of a few hundred thousand random weights, with a tokenizer of four words."""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 32


def save_tiny(family: str, folder: Path) -> None:
    """Make the pipeline and save it in diffusers' layout."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    vae = AutoencoderKL(
        block_out_channels=(8, 16, 16, 16), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, norm_num_groups=4, layers_per_block=1,
    )  # fmt: skip
    scheduler = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    tokenizer = _tokenizer(folder / "words")
    plain = {"vae": vae, "tokenizer": tokenizer, "text_encoder": CLIPTextModel(_text()), "scheduler": scheduler}
    if family == "sd15":
        pipe = StableDiffusionPipeline(
            **plain, unet=_unet(WIDTH), safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    elif family == "sdxl":
        second = CLIPTextModelWithProjection(_text())
        unet = _unet(2 * WIDTH, added=WIDTH + 6 * 8)
        pipe = StableDiffusionXLPipeline(**plain, text_encoder_2=second, tokenizer_2=tokenizer, unet=unet)
    else:
        second = CLIPTextModelWithProjection(_text())
        unet = _unet(WIDTH, added=WIDTH + 5 * 8)
        parts = {**plain, "text_encoder": None, "tokenizer": None}
        pipe = StableDiffusionXLImg2ImgPipeline(
            **parts, text_encoder_2=second, tokenizer_2=tokenizer, unet=unet, requires_aesthetics_score=True
        )
    pipe.save_pretrained(folder, safe_serialization=True)


def _text() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=16, hidden_size=WIDTH, intermediate_size=37, num_attention_heads=4, num_hidden_layers=2,
        projection_dim=WIDTH, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip


def _unet(text: int, added: int = 0) -> UNet2DConditionModel:
    extra = {}
    if added:
        extra = {
            "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": added,
        }  # fmt: skip
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text, norm_num_groups=4, attention_head_dim=4, **extra,
    )  # fmt: skip


def _tokenizer(folder: Path) -> CLIPTokenizer:
    folder.mkdir()
    words = ["<|startoftext|>", "<|endoftext|>", "a</w>", "b</w>", "c</w>", "d</w>", "a", "b", "c", "d"]
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=8)
