"""The prompts of a loaded pipeline of diffusers whose text encoders are all CLIP's: SD 1.5, SD 2, SDXL, its refiner."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scumble_core.models.prompts.clip import ClipEncoder
from scumble_core.models.prompts.encoder import PromptEncoder

_PARTS = (("tokenizer", "text_encoder", "clip_l"), ("tokenizer_2", "text_encoder_2", "clip_g"))


def prompt_encoder(pipe: Any, device: str, embeddings: Callable[[], Mapping[str, Path]]) -> PromptEncoder:
    """`device`: what the encoders run on, wherever they lie; `embeddings`: see PromptEncoder."""
    sdxl = getattr(pipe, "text_encoder_2", None) is not None
    encoders = [
        ClipEncoder(getattr(pipe, tokenizer), getattr(pipe, encoder), name, penultimate=sdxl, device=device)
        for tokenizer, encoder, name in _PARTS
        if getattr(pipe, encoder, None) is not None
    ]
    return PromptEncoder(encoders, embeddings)
