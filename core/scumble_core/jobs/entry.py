"""What the journal knows of a job: a frozen value, fit for a row of SQLite and for JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from scumble_bridge.fields import PictureHeader
from scumble_core.errors import ScumbleError
from scumble_core.jobs.states import State


@dataclass(frozen=True)
class Entry:
    """A job. Times are seconds since 1970; `number` counts up; `owner` is the client's name, or made up for it.

    `result` is JobResult.to_dict() once there is one; `error` a code and a sentence; `title` is for people.
    """

    id: str
    state: State
    request: Mapping[str, Any]
    source: PictureHeader
    owner: str
    priority: int
    number: int
    created: float
    updated: float
    used: float
    result: Mapping[str, Any] | None = None
    error: tuple[str, str] | None = None
    fetched: bool = False
    title: str = ""

    def moved(self, state: State, now: float, error: tuple[str, str] | None = None) -> "Entry":
        """The job in another state."""
        return replace(self, state=state, updated=now, used=now, error=error)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Entry":
        """The opposite of `to_dict`, also after JSON. Raises ScumbleError when it is no such thing."""
        try:
            error = values["error"]
            return cls(
                **{
                    **values,
                    "source": PictureHeader(**values["source"]),
                    "error": None if error is None else (str(error[0]), str(error[1])),
                }
            )
        except (KeyError, TypeError, IndexError) as error:
            raise ScumbleError("internal", f"A job's entry in the journal can't be read ({error!r}).") from error
