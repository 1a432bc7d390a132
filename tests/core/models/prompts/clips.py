"""Text encoders of a few weights with CLIP's real vocabulary, as SD 1.5, SDXL and its refiner have them."""

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from scumble_core.models.checkpoints.vocabulary import clip_tokenizer
from scumble_core.models.prompts.clip import ClipEncoder

WIDTHS = {"clip_l": 16, "clip_g": 24}


def text_model(name, projected):
    torch.manual_seed(len(name) + projected)
    config = CLIPTextConfig(
        vocab_size=49408, hidden_size=WIDTHS[name], intermediate_size=20, num_attention_heads=4, num_hidden_layers=2,
        projection_dim=24, bos_token_id=49406, eos_token_id=49407, pad_token_id=1,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def parts(name, *, sdxl):
    """Tokenizer and model."""
    return clip_tokenizer("clip-zero" if name == "clip_g" else "clip"), text_model(
        name, projected=sdxl and name == "clip_g"
    )


def encoder(tokenizer, model, name, *, sdxl):
    return ClipEncoder(tokenizer, model, name, penultimate=sdxl)
