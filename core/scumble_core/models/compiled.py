"""torch.compile for the blocks that a network repeats, where the artist asks for it (memory/wishes.py).

By blocks (diffusers' "regional compilation"): one block of each kind is compiled, for all that are like it, which takes
seconds where a whole network takes minutes.
"""

import logging
from typing import Any

import torch._dynamo

_log = logging.getLogger("scumble.models")


def compile_blocks(network: Any, backend: Any = "inductor") -> None:
    """Compile each kind of block when it is first called, and once more for another size of tile.

    `network`: one of diffusers'. What can't be compiled here (no compiler, an operation that it doesn't know) runs as
    it is.
    """
    torch._dynamo.config.suppress_errors = True
    try:
        network.compile_repeated_blocks(backend=backend)
    except ValueError as error:  # it has none
        _log.warning("%s is not compiled: %s", type(network).__name__, error)
