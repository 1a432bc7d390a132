"""A loaded pipeline of diffusers as a LatentModel, by what its family says of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scumble_core.models.device import Device
from scumble_core.models.facts import ModelFacts
from scumble_core.models.families import Family
from scumble_core.models.families.adapter import Words
from scumble_core.models.interface import Conditioning
from scumble_core.models.networks import KLAutoencoder
from scumble_core.models.prompts.encoder import Encoded, PromptEncoder, no_embeddings
from scumble_core.models.prompts.pipelines import prompt_encoder
from scumble_core.models.schedulers import prediction_of
from scumble_core.picture.geometry import Extent
from scumble_core.sampling.prediction import Flow, NetworkDenoiser, flow_sigmas


class PipelineModel:
    """`pipe`: the loaded parts, on the device and in the dtype that they are to run in.

    `embeddings` tells which textual inversions prompts may call, by names in lower case.
    """

    def __init__(
        self,
        pipe: Any,
        family: Family,
        facts: ModelFacts,
        device: Device,
        embeddings: Callable[[], Mapping[str, Path]] = no_embeddings,
    ) -> None:
        self._pipe = pipe
        self._family = family
        self._facts = facts
        self._device = device
        self._embeddings = embeddings
        vae = pipe.vae.config
        dtype = _vae_dtype(pipe, family)
        self._vae = KLAutoencoder(pipe.vae, vae.scaling_factor, dtype, float(vae.get("shift_factor") or 0.0))
        self._network = family.network(pipe, self._vae)
        self._prediction = prediction_of(pipe.scheduler)
        if isinstance(self._prediction, Flow) and facts.flow_shift is not None:
            # Some schedulers shift by the picture's size; the plan counts with one.
            self._prediction = Flow(flow_sigmas(facts.flow_shift, dtype=torch.float64))
        self._denoiser = NetworkDenoiser(self._network, self._prediction)

    @property
    def pipe(self) -> Any:
        """The parts by their names, for what changes them: LoRA, textual inversion, another autoencoder."""
        return self._pipe

    @property
    def modules(self) -> tuple[torch.nn.Module, ...]:
        """What takes memory on the device, each whole."""
        return tuple(part for part in self._pipe.components.values() if isinstance(part, torch.nn.Module))

    @property
    def family(self) -> Family:
        return self._family

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
    def encode_prompt(
        self, prompt: str, extent: Extent, *, negative: bool = False, guidance: float | None = None
    ) -> Conditioning:
        told = self._facts.guidance if guidance is None else guidance
        return self._family.prompt(self._pipe, Words(prompt, extent, negative, told, self._clip))

    def _clip(self, prompt: str) -> Encoded:
        return self._prompts(prompt)

    @cached_property
    def _prompts(self) -> PromptEncoder:
        return prompt_encoder(self._pipe, self._device.name, self._embeddings)

    @torch.inference_mode()
    def denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        return self._denoiser(x, sigma, conditioning)

    @contextmanager
    def precise(self) -> Iterator[None]:
        with self._network.precise(), self._vae.precise():
            yield


def _vae_dtype(pipe: Any, family: Family) -> torch.dtype:
    """SDXL's autoencoder overflows in half precision and says so itself; in bfloat16 any would show bands."""
    network = getattr(pipe, family.network_part).dtype
    return torch.float16 if network == torch.float16 and not pipe.vae.config.get("force_upcast") else torch.float32
