"""The one interface through which the pipeline sees a latent diffusion model, whatever its family."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from torch import Tensor

from scumble_core.models.facts import ModelFacts
from scumble_core.picture.geometry import Extent


class Control(Protocol):
    """A network beside another one, with the picture of a batch of tiles that it keeps to."""

    def residuals(
        self, scaled: Tensor, time: Tensor, text: Tensor, added: Mapping[str, Tensor] | None
    ) -> Mapping[str, Any]:
        """What a UNet takes beside these arguments of its own."""


class Conditioning:
    """What a family makes of a prompt; only that family looks inside."""

    def steered(self, control: Control) -> "Conditioning":  # noqa: ARG002
        """The same prompt, with the network steered; as it is where the family can't be."""
        return self


class LatentModel(Protocol):
    """Pixels are B x 3 x H x W in 0 to 1, sides multiples of `facts.grid`; latents B x C x H/factor x W/factor.

    Latents have about unit variance; noisy ones are variance-exploding (x = x0 + sigma * eps). All in float32. A flow's
    (1 - t) x0 + t eps is that with sigma = t / (1 - t), scaled: the family does so inside.
    """

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def device(self) -> str: ...

    @property
    def sigma_table(self) -> Tensor:
        """The training sigmas, rising, float32 or float64, on the CPU."""

    def encode(self, pixels: Tensor) -> Tensor:
        """Pixels to latents, without chance in it."""

    def decode(self, latents: Tensor) -> Tensor:
        """Latents to pixels; not clipped."""

    def encode_prompt(
        self, prompt: str, extent: Extent, *, negative: bool = False, guidance: float | None = None
    ) -> Conditioning:
        """The prompt for tiles of this size in pixels. `guidance`: for models that are told it; None: the usual."""

    def denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        """The prediction of x0."""

    def precise(self) -> AbstractContextManager[None]:
        """While it lasts, the model runs in float32 throughout: the second try after a NaN."""
