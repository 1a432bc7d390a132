"""The panel's view of its host: Krita, or a fake in tests.

Theory of operation: whatever takes longer than a moment is a `Steps` generator: it yields between short pieces of work,
and returns what it made. Its driver calls it from a timer at the top of the event loop, so that the program stays
alive. Dropped half-way (`close`), it leaves the document as it was; placing that has begun to change it ends by itself.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from scumble.geometry import Box
from scumble.qt import QtGui
from scumble_bridge.fields import PictureHeader

T = TypeVar("T")
Steps = Generator[None, None, T]
Source = Literal["canvas", "layer", "selection"]
Destination = Literal["enlarge", "new", "keep"]


class HostError(Exception):
    """The host can't do it; the message says what, where, and what to do."""


@dataclass(frozen=True)
class Guides:
    """Layers and masks, by their ids, that say where something holds.

    `strength`: the brighter it is, the more is refined; "" for none. `regions`: where each is painted a prompt of its
    own counts; "" where none was chosen yet. `left_out`: layers that are not to be in the picture that is sent.
    """

    strength: str = ""
    regions: "tuple[str, ...]" = ()
    left_out: "tuple[str, ...]" = ()


@dataclass(frozen=True)
class Wanted:
    """What the artist chose to send. `layer`: the id of a layer or group for the source "layer", "" for the active."""

    source: Source = "canvas"
    layer: str = ""
    guides: Guides = Guides()


@dataclass(frozen=True)
class LayerChoice:
    """A layer, group or mask. `level`: how deep it lies in the tree, 0 for the top; `is_source`: it may be sent;
    `is_guide`: it may say where."""

    id: str
    title: str
    level: int
    is_source: bool = True
    is_guide: bool = False


@dataclass(frozen=True)
class Target:
    """Where a picture came from, and so where its results belong: fit for JSON, good after the document was reopened.

    `document`: the host's own key of the open document; `file`: its path, or "" while it was never saved; `canvas`: the
    whole document then; `box`: what was sent of it (with context around a selection); `selected`: the bounds of the
    selection, None without one; `layer`: the id of the layer that was sent, or "".
    """

    document: str
    file: str
    canvas: Box
    box: Box
    selected: "Box | None"
    layer: str


@dataclass(frozen=True)
class Offer:
    """What would be sent now. `kind`: colour model, depth and profile, for people; `depth`: how it would travel."""

    target: Target
    kind: str
    depth: str


class Mask(Protocol):
    """One byte a pixel of a snapshot's box: 255 for all, 0 for nothing."""

    def read(self, offset: int, size: int) -> bytes:
        """As in Snapshot."""


class Snapshot(Protocol):
    """A part of the document as it was when the artist pressed the button, whatever is painted since."""

    @property
    def header(self) -> PictureHeader:
        """The size and layout of what `read` gives."""

    @property
    def profile(self) -> bytes:
        """The ICC profile of its colours; nothing for sRGB."""

    @property
    def target(self) -> Target: ...

    @property
    def selection(self) -> "bytes | None":
        """One byte a pixel of `target.box`; None: all is selected."""

    @property
    def strength(self) -> "Mask | None":
        """Where to refine more; None: everywhere the same."""

    @property
    def regions(self) -> "tuple[Mask, ...]":
        """One for each of the regions that were wanted."""

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the picture, rows from the top. At most 10 ms for 1 MiB. Raises HostError."""

    def release(self) -> None:
        """Let go of what it holds."""


class Result(Protocol):
    """One picture that came back."""

    @property
    def header(self) -> PictureHeader: ...

    def rows(self, top: int, count: int) -> bytes:
        """Whole rows, in the header's layout. Raises HostError."""


@dataclass(frozen=True)
class Placement:
    """How results are placed: remembered settings of the artist.

    `group`: both layers in a group of their own, else loose; `keep_upscaled`: place the plain upscale too; `mask`: a
    transparency mask from the selection instead of pixels cut by it; `opacity`: of the refined layer, in percent.
    """

    destination: Destination = "enlarge"
    group: bool = True
    keep_upscaled: bool = True
    mask: bool = True
    opacity: int = 100


@dataclass(frozen=True)
class Delivery:
    """Both results of a run, and what the artist wants to see of them.

    `x`, `y`: where they lie, relative to the target's box, in the results' own pixels; `scale`: from the canvas to the
    results where the canvas is to be enlarged, 1 where it keeps its size; `title`: for the layers' names; `note`: the
    settings as JSON, kept with the document; `profile`: the ICC profile of the results, "" as in Snapshot.
    """

    placement: Placement
    x: int
    y: int
    scale: float
    title: str
    note: str
    profile: bytes
    upscaled: Result
    refined: Result


@dataclass(frozen=True)
class Placed:
    """Layers that are in a document now. `document`: the host's key; the ids are "" for what was not placed.

    `said`: one sentence for the artist, when something went another way than asked; else "".
    """

    document: str
    group: str
    upscaled: str
    refined: str
    said: str = ""


class Host(Protocol):
    """Reads sources, places results, remembers. Called from the GUI thread alone."""

    # Before a run.

    def unavailable(self, wanted: Wanted) -> str:
        """Why this can't be taken now, with what to do; "" when it can. Quick: asked several times a second."""

    def offer(self, wanted: Wanted) -> Offer:
        """What would be taken, without reading pixels. Raises HostError."""

    def layers(self) -> "tuple[LayerChoice, ...]":
        """What is in the active document and may be chosen for something, the uppermost first."""

    def thumbnail(self, wanted: Wanted, side: int) -> "Steps[QtGui.QImage]":
        """Exactly what would be sent, no larger than `side`. Raises HostError."""

    def take(self, wanted: Wanted) -> "Steps[Snapshot]":
        """Raises HostError."""

    def cursor(self) -> "tuple[int, int] | None":
        """The last place of the pointer over the canvas, in pixels of the active document."""

    # After it.

    def place(self, target: Target, delivery: Delivery) -> "Steps[Placed]":
        """Place the results; at most two steps of undo. Nothing in the document changes before the last steps, and when
        it raises HostError the document is as it was."""

    def show_before(self, placed: Placed, before: bool) -> bool:
        """Hide the refined layer, or show it again; False when it isn't there any more."""

    def active_document(self) -> str:
        """The host's key of the document that the artist looks at; "" for none. A reopened file has a new key."""

    # What is remembered.

    def load(self, name: str) -> str:
        """A text that `save` kept for this user; "" when there is none."""

    def save(self, name: str, text: str) -> None: ...

    def load_note(self, document: str, name: str) -> bytes:
        """What `save_note` kept in the document; nothing when there is none, or no such document."""

    def save_note(self, document: str, name: str, data: bytes) -> None:
        """Keep it in the document; it goes into its .kra file. Makes the document modified."""
