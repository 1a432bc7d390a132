"""SD 1.5, SDXL and SDXL's refiner through diffusers' own pipelines, as one LatentModel."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.device import Device
from scumble_core.models.facts import FACTS, Family, ModelFacts
from scumble_core.models.interface import Conditioning
from scumble_core.models.networks import KLAutoencoder, TextConditioning, TextUNet
from scumble_core.picture.geometry import Extent
from scumble_core.sampling.prediction import Epsilon, Flow, NetworkDenoiser, Prediction, Velocity, flow_sigmas
from scumble_core.sampling.sigmas import sigmas_of, training_sigmas

_PIPELINES: dict[Family, Any] = {
    "sd15": StableDiffusionPipeline,
    "sdxl": StableDiffusionXLPipeline,
    "sdxl-refiner": StableDiffusionXLImg2ImgPipeline,
}
# What SDXL's refiner was told of a picture's beauty (Podell et al. 2023; the values of its own pipeline).
_AESTHETIC_SCORE, _NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5


def prediction_of(scheduler: Any) -> Prediction:
    """What a model predicts, and its sigmas (float64), from the scheduler that its folder names."""
    config = scheduler.config
    kind = config.get("prediction_type", "epsilon")
    if type(scheduler).__name__.startswith("FlowMatch") or kind == "flow_prediction":
        return Flow(flow_sigmas(config.get("shift") or config.get("flow_shift") or 1.0, dtype=torch.float64))
    if kind not in ("epsilon", "v_prediction") or not hasattr(scheduler, "alphas_cumprod"):
        raise ScumbleError(
            "unknown_model",
            f"The model's scheduler, {type(scheduler).__name__} with {kind!r}, is of a kind that Scumble can't read: "
            "choose another model.",
        )
    table = _table(scheduler)
    return Velocity(table) if kind == "v_prediction" else Epsilon(table)


def _table(scheduler: Any) -> Tensor:
    """The training sigmas, float64. diffusers rounds scaled linear betas on the way, so those are computed anew."""
    config = scheduler.config
    if config.get("trained_betas") is None and config.beta_schedule == "scaled_linear":
        return training_sigmas(
            torch.float64,
            beta_start=config.beta_start,
            beta_end=config.beta_end,
            steps=config.num_train_timesteps,
            zero_snr=config.get("rescale_betas_zero_snr", False),
        )
    return sigmas_of(scheduler.alphas_cumprod.double().cpu())


class StableDiffusionModel:
    """Any of the three families, from a folder in diffusers' layout; safetensors only."""

    def __init__(self, folder: Path, family: Family, device: Device) -> None:
        self._facts = FACTS[family]
        self._device = device
        self._dtype = torch.float16 if device.name != "cpu" else torch.float32
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
        vae_dtype = torch.float32 if pipe.vae.config.get("force_upcast", False) else self._dtype
        self._vae = KLAutoencoder(pipe.vae, pipe.vae.config.scaling_factor, vae_dtype)
        self._unet = TextUNet(pipe.unet)
        self._prediction = prediction_of(pipe.scheduler)
        self._denoiser = NetworkDenoiser(self._unet, self._prediction)

    @property
    def facts(self) -> ModelFacts:
        return self._facts

    @property
    def device(self) -> str:
        return self._device.name

    @property
    def sigma_table(self) -> Tensor:
        return self._prediction.table

    @torch.inference_mode()
    def encode(self, pixels: Tensor) -> Tensor:
        return self._vae.encode(pixels)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        return self._vae.decode(latents)

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
        return self._denoiser(x, sigma, conditioning)

    @contextmanager
    def precise(self) -> Iterator[None]:
        with self._unet.precise(), self._vae.precise():
            yield
