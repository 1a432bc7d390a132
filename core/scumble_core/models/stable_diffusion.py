"""SD 1.5, SDXL and SDXL's refiner through diffusers' own pipelines, as one LatentModel."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.device import Device
from scumble_core.models.facts import FACTS, Family, ModelFacts
from scumble_core.models.interface import Conditioning
from scumble_core.picture.geometry import Extent
from scumble_core.sampling.sigmas import nearest_timestep

_PIPELINES: dict[Family, Any] = {
    "sd15": StableDiffusionPipeline,
    "sdxl": StableDiffusionXLPipeline,
    "sdxl-refiner": StableDiffusionXLImg2ImgPipeline,
}
# What SDXL's refiner was told of a picture's beauty (Podell et al. 2023; the values of its own pipeline).
_AESTHETIC_SCORE, _NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5


@dataclass(frozen=True, eq=False)
class TextConditioning(Conditioning):
    """Text embeddings 1 x tokens x width; for SDXL also the pooled embedding and the size words."""

    embeds: Tensor
    pooled: Tensor | None = None
    time_ids: Tensor | None = None


class StableDiffusionModel:
    """Any of the three families, from a folder in diffusers' layout; safetensors only."""

    def __init__(self, folder: Path, family: Family, device: Device) -> None:
        self._facts = FACTS[family]
        self._device = device
        self._dtype = torch.float16 if device.name != "cpu" else torch.float32
        self._precise = False
        try:
            pipe = _PIPELINES[family].from_pretrained(
                folder, torch_dtype=self._dtype, use_safetensors=True, local_files_only=True
            )
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            reason = str(error).split("\n", maxsplit=1)[0]
            raise ScumbleError(
                "unknown_model", f"The model at {folder} can't be loaded ({reason}): download it again, as safetensors."
            ) from error
        self._pipe = pipe.to(device.name)
        # SDXL's autoencoder overflows in half precision; it says so itself.
        self._vae_dtype = torch.float32 if pipe.vae.config.get("force_upcast", False) else self._dtype
        self._pipe.vae.to(self._vae_dtype)
        signal = self._pipe.scheduler.alphas_cumprod.double()
        self._table = ((1 - signal) / signal).sqrt().float()

    @property
    def facts(self) -> ModelFacts:
        return self._facts

    @property
    def device(self) -> str:
        return self._device.name

    @property
    def sigma_table(self) -> Tensor:
        return cast(Tensor, self._table)

    @torch.inference_mode()
    def encode(self, pixels: Tensor) -> Tensor:
        vae = self._pipe.vae
        encoded = vae.encode((pixels * 2 - 1).to(self._vae_dtype)).latent_dist.mode()
        return cast(Tensor, encoded.float() * vae.config.scaling_factor)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        vae = self._pipe.vae
        pixels = vae.decode((latents / vae.config.scaling_factor).to(self._vae_dtype)).sample
        return cast(Tensor, pixels.float() / 2 + 0.5)

    @torch.inference_mode()
    def encode_prompt(self, prompt: str, extent: Extent, *, negative: bool = False) -> Conditioning:
        encoded = self._pipe.encode_prompt(
            prompt, device=self._device.name, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        if self._facts.family == "sd15":
            return TextConditioning(encoded[0])
        return TextConditioning(encoded[0], encoded[2], self._size_words(extent, negative))

    def _size_words(self, extent: Extent, negative: bool) -> Tensor:
        """Podell et al. 2023, section 2.2: original size, crop, then target size or aesthetic score."""
        words: list[float] = [extent.height, extent.width, 0, 0]
        if self._facts.family == "sdxl-refiner":
            words.append(_NEGATIVE_AESTHETIC_SCORE if negative else _AESTHETIC_SCORE)
        else:
            words += [extent.height, extent.width]
        return torch.tensor([words], dtype=self._dtype, device=self._device.name)

    @torch.inference_mode()
    def denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        if not isinstance(conditioning, TextConditioning):
            raise TypeError("the conditioning was made by another model")
        timestep = nearest_timestep(self._table, torch.tensor([sigma])).to(x.device)
        scaled = (x / (sigma**2 + 1) ** 0.5).to(self._pipe.unet.dtype)
        count = x.shape[0]
        added = None
        if conditioning.pooled is not None and conditioning.time_ids is not None:
            added = {
                "text_embeds": conditioning.pooled.to(scaled.dtype).expand(count, -1),
                "time_ids": conditioning.time_ids.to(scaled.dtype).expand(count, -1),
            }
        embeds = conditioning.embeds.to(scaled.dtype).expand(count, -1, -1)
        predicted = self._pipe.unet(scaled, timestep, embeds, added_cond_kwargs=added).sample.float()
        if self._pipe.scheduler.config.prediction_type == "v_prediction":
            # Salimans and Ho 2022, in variance-exploding form.
            return cast(Tensor, (x / (sigma**2 + 1)) - predicted * (sigma / (sigma**2 + 1) ** 0.5))
        return cast(Tensor, x - sigma * predicted)

    @contextmanager
    def precise(self) -> Iterator[None]:
        unet, vae = self._pipe.unet, self._pipe.vae
        before = (unet.dtype, vae.dtype, self._vae_dtype)
        unet.to(torch.float32)
        vae.to(torch.float32)
        self._vae_dtype = torch.float32
        try:
            yield
        finally:
            unet.to(before[0])
            vae.to(before[1])
            self._vae_dtype = before[2]
