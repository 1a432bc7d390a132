"""What a job needs is tried before its first pass, so that nothing is found amiss at tile 40."""

from scumble_core.models.additions import prompts_of
from scumble_core.models.interface import LatentModel
from scumble_core.models.library import embeddings_of
from scumble_core.models.prompts.embeddings import embeddings_in
from scumble_core.picture.geometry import Extent
from scumble_core.request import RefineRequest


def read_words(model: LatentModel, request: RefineRequest, tile: Extent) -> None:
    """Encode the prompts that call textual inversions; others can't fail. Raises ScumbleError.

    Models with textual inversions keep what they have encoded, so that it costs nothing to do so now.
    """
    known = embeddings_of(model.facts.family)
    for prompt in prompts_of(request):
        if embeddings_in(prompt, known):
            model.encode_prompt(prompt, tile)
