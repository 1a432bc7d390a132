"""No exception leaves a slot: Krita would open its script error dialog, amid the artist's work."""

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from scumble.words import tr

_log = logging.getLogger("scumble.panel")


class Surprisable(Protocol):
    """Whose slots are guarded."""

    def surprised(self, sentence: str) -> None:
        """Something went wrong that nobody foresaw; must not raise."""


Slot = TypeVar("Slot", bound=Callable[..., None])


def guarded(slot: Slot) -> Slot:
    """The slot, whose surprises go to its object's `surprised` and into the log.

    Qt hands a slot all that a signal carries; what the slot doesn't take is dropped, as PyQt does for plain methods.
    """
    kinds = [each.kind for each in inspect.signature(slot).parameters.values()]
    most = None if inspect.Parameter.VAR_POSITIONAL in kinds else len(kinds) - 1

    @functools.wraps(slot)
    def call(self: Surprisable, *given: Any, **named: Any) -> None:
        try:
            slot(self, *given[:most], **named)
        except Exception as error:
            _log.exception("%s met what was not foreseen", slot.__qualname__)
            self.surprised(surprise(error))

    return cast(Slot, call)


def surprise(error: Exception) -> str:
    """For the artist."""
    return tr("Something went wrong that was not foreseen ({error}): copy the diagnostics and report it.").format(
        error=f"{type(error).__name__}: {error}"
    )
