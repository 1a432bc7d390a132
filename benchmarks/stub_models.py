"""Models that cost next to nothing, in the shapes of real ones: what is left is the pipeline's own time and memory."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.numpy import save_file
from torch import Tensor

from scumble_core.cli.measuring import Stopwatch
from scumble_core.models.device import Device
from scumble_core.models.facts import ModelFacts
from scumble_core.models.families.sdxl import SDXL_FACTS
from scumble_core.models.interface import Conditioning
from scumble_core.models.library import upscaler_facts
from scumble_core.models.memory.wishes import Offload
from scumble_core.models.upscalers.facts import UpscalerFacts
from scumble_core.picture.geometry import Extent


class StubModel:
    """A LatentModel of SDXL's shapes: mean colours as latents, and a denoiser that only scales."""

    facts: ModelFacts = SDXL_FACTS
    device = "cpu"

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
        alphas = torch.cumprod(1 - betas, 0)
        self.sigma_table = ((1 - alphas) / alphas).sqrt().float()

    def encode(self, pixels: Tensor) -> Tensor:
        with self._watch.running():
            colour = F.avg_pool2d(pixels, self.facts.factor) * 4 - 2
            return torch.cat((colour, colour.mean(1, keepdim=True)), 1)

    def decode(self, latents: Tensor) -> Tensor:
        with self._watch.running():
            return F.interpolate((latents[:, :3] + 2) / 4, scale_factor=float(self.facts.factor), mode="nearest")

    def encode_prompt(
        self,
        prompt: str,  # noqa: ARG002
        extent: Extent,  # noqa: ARG002
        *,
        negative: bool = False,  # noqa: ARG002
        guidance: float | None = None,  # noqa: ARG002
    ) -> Conditioning:
        return Conditioning()

    def denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:  # noqa: ARG002
        with self._watch.running():
            return x / (1 + sigma * sigma)

    def precise(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class StubUpscaler:
    """Every pixel twice in both directions."""

    scale = 2

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch

    def __call__(self, pixels: Tensor) -> Tensor:
        with self._watch.running():
            return F.interpolate(pixels, scale_factor=float(self.scale), mode="nearest")


class StubModels:
    """What the pipeline asks of a ModelCache."""

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self.device = Device("cpu", torch.float32)
        self._latent, self._upscaler = StubModel(self.watch), StubUpscaler(self.watch)

    def latent_model(self, base: str, refiner: str = "none", additions: object = None) -> StubModel:  # noqa: ARG002
        return self._latent

    def sketcher(self, family: str) -> None:  # noqa: ARG002
        return None

    def upscaler(self, upscaler: str) -> StubUpscaler:  # noqa: ARG002
        return self._upscaler

    data: Path | None = None
    loaded: tuple[str, ...] = ()

    def settle(self, offload: Offload, wanted: tuple[str, ...]) -> None:
        """There is always room."""

    def relieve(self) -> Offload | None:
        return None

    def upscaler_facts(self, upscaler: str) -> UpscalerFacts | None:
        return upscaler_facts(upscaler)

    def warm_up(self) -> None:
        """One call of each, so that what torch sets up once counts as idle."""
        pixels = torch.zeros(1, 3, 64, 64)
        self._latent.decode(self._latent.denoise(self._latent.encode(pixels), 1.0, Conditioning()))
        self._upscaler(pixels)
        self.watch.seconds = self.watch.cpu_seconds = 0.0


def write_stub_base(folder: Path) -> Path:
    """What an SDXL's folder says of itself, with next to no weights: the planner asks no more."""
    parts = {"unet": ["diffusers", "UNet2DConditionModel"], "text_encoder": ["transformers", "CLIPTextModel"]}
    config = {"addition_embed_type": "text_time", "cross_attention_dim": 2048, "in_channels": 4}
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        (folder / part).mkdir(parents=True)
        save_file({"weight": np.zeros(1, np.float32)}, folder / part / f"{name}.safetensors")
        (folder / part / "config.json").write_text(json.dumps(config if part == "unet" else {}), "utf-8")
    index = {"_class_name": "StableDiffusionXLPipeline", **parts}
    (folder / "model_index.json").write_text(json.dumps(index), "utf-8")
    return folder
