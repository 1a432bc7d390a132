"""No exception leaves a slot, an event handler or a paint event: Krita would open its script error dialog."""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec

_log = logging.getLogger("scumble.overlay")

P = ParamSpec("P")


def quietly(slot: "Callable[P, None]") -> "Callable[P, None]":
    """The slot, whose exceptions go into the log: what is over the canvas isn't worth a word to the artist.

    The slot has to take all that its signal carries.
    """

    @functools.wraps(slot)
    def call(*given: P.args, **named: P.kwargs) -> None:
        try:
            slot(*given, **named)
        except Exception:
            _log.exception("%s met what was not foreseen", slot.__qualname__)

    return call
