"""Base and refiner as one model: the base above the handover sigma, the refiner below it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from torch import Tensor

from scumble_core.models.facts import ModelFacts
from scumble_core.models.interface import Conditioning, Control, LatentModel
from scumble_core.picture.geometry import Extent


@dataclass(frozen=True, eq=False)
class BothConditionings(Conditioning):
    """The prompt in either model's form."""

    base: Conditioning
    refiner: Conditioning

    def steered(self, control: Control) -> "BothConditionings":
        """ControlNets are made for bases."""
        return replace(self, base=self.base.steered(control))


class Handover:
    """A LatentModel of two that share their latent space; pixels go through the base's autoencoder."""

    def __init__(self, base: LatentModel, refiner: LatentModel) -> None:
        self._base = base
        self._refiner = refiner

    @property
    def facts(self) -> ModelFacts:
        return self._base.facts

    @property
    def device(self) -> str:
        return self._base.device

    @property
    def sigma_table(self) -> Tensor:
        return self._base.sigma_table

    def encode(self, pixels: Tensor) -> Tensor:
        return self._base.encode(pixels)

    def decode(self, latents: Tensor) -> Tensor:
        return self._base.decode(latents)

    def encode_prompt(
        self, prompt: str, extent: Extent, *, negative: bool = False, guidance: float | None = None
    ) -> Conditioning:
        return BothConditionings(
            self._base.encode_prompt(prompt, extent, negative=negative, guidance=guidance),
            self._refiner.encode_prompt(prompt, extent, negative=negative),
        )

    def denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        if not isinstance(conditioning, BothConditionings):
            raise TypeError("the conditioning was made by another model")
        if sigma >= self.facts.handover:
            return self._base.denoise(x, sigma, conditioning.base)
        return self._refiner.denoise(x, sigma, conditioning.refiner)

    @contextmanager
    def precise(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._base.precise())
            stack.enter_context(self._refiner.precise())
            yield
