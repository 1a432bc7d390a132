"""What a family of latent models is to the rest of Scumble. Each file beside this one describes one. No torch here.

docs/models.md, "Adding a family", goes through such a file line by line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from scumble_core.models.detect import Found
from scumble_core.models.facts import ModelFacts
from scumble_core.picture.geometry import Extent

if TYPE_CHECKING:
    from scumble_core.models.interface import Conditioning
    from scumble_core.models.networks import KLAutoencoder, ModuleNetwork
    from scumble_core.models.prompts.encoder import Encoded


@dataclass(frozen=True)
class Words:
    """What a prompt is encoded from. `extent`: the tile's size in pixels; `guidance`: for models that are told it.

    `clip`: encodes any prompt with all of a model's CLIP encoders, for families that have no other.
    """

    prompt: str
    extent: Extent
    negative: bool
    guidance: float
    clip: "Callable[[str], Encoded]"


@dataclass(frozen=True)
class Part:
    """A part of a model as it lies in a single file.

    `name`: what diffusers' pipeline calls it; `reader`: what in checkpoints/ understands it; `config`: the file in
    checkpoints/configs with all that tensors don't tell; `prefixes`: what its tensors' names begin with.
    """

    name: str
    reader: str
    config: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """`name`: as detection says it; `pipeline`: diffusers' class, whose parts are loaded from folders.

    `network` and `prompt` make of a loaded pipeline what LatentModel needs: the network as a call of fixed form, and a
    prompt's conditioning. `variants`: facts by the variants that detection names; `parts` and `tokenizers`: what a
    single file has of the pipeline, and which tokenizers come with Scumble; `settings`: what else its constructor is
    given; `variant_of`: where detection's word for the variant is not enough; `half`: the 16-bit type it bears on
    graphics cards.
    """

    name: str
    facts: ModelFacts
    pipeline: str
    network: "Callable[[Any, KLAutoencoder], ModuleNetwork]"
    prompt: "Callable[[Any, Words], Conditioning]"
    parts: tuple[Part, ...]
    tokenizers: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, ModelFacts] = field(default_factory=dict)
    variant_of: Callable[[Found], str] = lambda found: found.variant
    role: Literal["base", "refiner"] = "base"
    half: Literal["float16", "bfloat16"] = "float16"

    @property
    def network_part(self) -> str:
        """What its pipeline calls the network: "unet" or "transformer"."""
        return self.parts[0].name

    def facts_of(self, found: Found) -> ModelFacts:
        """The facts of this very model: its variant's, with the noise levels that it was trained on."""
        facts = self.variants.get(self.variant_of(found), self.facts)
        if found.detail.get("few_steps") and facts == self.facts:
            facts = few_steps(facts)
        if found.detail.get("zero_snr") and facts.flow_shift is None:
            # Evenly in log, most steps would be spent where there is next to no signal.
            return replace(facts, zero_snr=True, spacing="trailing")
        return facts


def few_steps(facts: ModelFacts, sampler: str = "euler", steps: int = 4, **changes: Any) -> ModelFacts:
    """The facts of a model distilled to few steps: without guidance, at the training steps it was distilled for."""
    spare: dict[str, Any] = {"guidance": 1.0, "spacing": "trailing", "generating_steps": steps, **changes}
    return replace(facts, sampler=sampler, steps=steps, **spare)
