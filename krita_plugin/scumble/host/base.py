"""The panel's view of its host: Krita, or a fake in tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from scumble.geometry import Box
from scumble.settings import Settings, Source
from scumble_bridge.fields import PictureHeader


class HostError(Exception):
    """The host can't do it; the message says what and what to do."""


class Snapshot(Protocol):
    """A part of the document as it was when the artist pressed the button, whatever is painted since."""

    @property
    def header(self) -> PictureHeader:
        """The size and layout of what `read` gives."""

    @property
    def box(self) -> Box:
        """Where it lies on the canvas."""

    @property
    def selection(self) -> "bytes | None":
        """One byte a pixel of `box`; None: all is selected."""

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the picture, rows from the top."""

    def release(self) -> None:
        """Let go of what it holds."""


class Result(Protocol):
    """One picture that came back."""

    @property
    def header(self) -> PictureHeader: ...

    def rows(self, top: int, count: int) -> bytes:
        """Whole rows, in the header's layout."""


@dataclass(frozen=True)
class Delivery:
    """Both results. `x`, `y`: where they lie, relative to the snapshot's box, in the results' own pixels."""

    settings: Settings
    x: int
    y: int
    upscaled: Result
    refined: Result


class Host(Protocol):
    """Reads sources and places results. Called from the GUI thread alone."""

    def unavailable(self, source: Source) -> str:
        """Why this source can't be taken now, with what to do; "" when it can."""

    def snapshot(self, source: Source) -> Snapshot:
        """Raises HostError."""

    def place(self, snapshot: Snapshot, delivery: Delivery) -> "Iterator[str]":
        """Place both layers: a step at a time, so that the program stays alive; the last thing it yields is a sentence
        that says what was done. Nothing in the document changes before the last step. Raises HostError."""

    def load_settings(self) -> Settings: ...

    def save_settings(self, settings: Settings) -> None: ...
