"""Tiny families on the disk, made once for all tests of a module."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from tests.core.models.tiny_exports import save_single
from tests.core.models.tiny_families import pipeline

from scumble_core.models.checkpoints.load import load_model
from scumble_core.models.detect import detect
from scumble_core.models.device import Device
from scumble_core.picture.geometry import Extent

CPU = Device("cpu", torch.float32)
FAMILIES = ("sd15", "sd21", "sdxl", "sdxl-refiner", "flux", "z-image")


@dataclass
class Saved:
    """One family in both layouts."""

    family: str
    folder: Path
    file: Path

    @classmethod
    def of(cls, family: str, room: Path, **changed) -> "Saved":
        pipe = pipeline(family, **changed)
        pipe.save_pretrained(room / family, safe_serialization=True)
        return cls(family, room / family, save_single(family, pipe, room / f"{family}.safetensors"))

    @cached_property
    def from_folder(self):
        return load_model(detect(self.folder), CPU)

    @cached_property
    def from_file(self):
        # The folder lends the tokenizers that don't come with Scumble.
        return load_model(detect(self.file), CPU, detect(self.folder))


def answers(model, sigma: float = 0.6, prompt: str = "w1 a photo, of (things)"):
    """What a model says of one latent, one prompt and one picture."""
    generator = torch.Generator().manual_seed(3)
    extent, channels = Extent(64, 96), model.facts.channels
    x = torch.randn(2, channels, 12, 8, generator=generator)
    pixels = torch.rand(1, 3, 96, 64, generator=generator)
    words = model.encode_prompt(prompt, extent)
    return model.denoise(x, sigma, words), model.encode(pixels), model.decode(x[:1] / 4), words.embeds
