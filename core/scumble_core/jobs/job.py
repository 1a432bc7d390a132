"""What the front door knows of one job."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from scumble_bridge import messages as wire
from scumble_bridge.fields import PictureHeader, Stream
from scumble_core.events import Event, JobResult, StageStarted, TileFinished, TilePreview
from scumble_core.jobs.client import Client
from scumble_core.jobs.transfer import Intake, ResultReader
from scumble_core.request import RefineRequest

State = Literal["uploading", "queued", "running", "ended"]
MOST_SUMMARY = 48 * 1024


@dataclass(eq=False)
class Job:
    """A job between Submit and Release. `news` is what a client that attaches is told."""

    id: str
    folder: Path
    request: RefineRequest
    source: PictureHeader
    owner: Client
    state: State = "uploading"
    cancelled: bool = False
    news: wire.Message | None = None
    intakes: dict[Stream, Intake] = field(default_factory=dict)
    watchers: set[Client] = field(default_factory=set)

    @property
    def is_active(self) -> bool:
        """Whether there is still something to do."""
        return self.state != "ended"

    @property
    def is_finished(self) -> bool:
        """Whether its results wait to be fetched."""
        return isinstance(self.news, wire.Finished)

    def create(self, selection: PictureHeader | None) -> None:
        """The folder, with room for the pictures. Slow on some file systems; raises ScumbleError."""
        self.delete()
        self.folder.mkdir(parents=True)
        self.intakes["source"] = Intake(self.folder / "source.npy", self.source)
        if selection is not None:
            self.intakes["selection"] = Intake(self.folder / "selection.npy", selection)

    def write_request(self) -> None:
        """What the worker reads."""
        (self.folder / "request.json").write_text(json.dumps(self.request.to_dict()), encoding="utf-8")

    def delete(self) -> None:
        """Remove the folder with all that is in it."""
        for intake in self.intakes.values():
            intake.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tell(self, message: wire.Message) -> None:
        """Tell all who watch, and remember it unless it is a passing picture."""
        if not isinstance(message, wire.Preview):
            self.news = message
        for client in self.watchers:
            client.tell(message)

    def result(self, stream: Stream) -> ResultReader:
        """One of its results, in the source's layout. Raises PictureError."""
        return ResultReader(self.folder / f"{stream}.npy", self.source.layout)

    def finished(self, result: JobResult) -> wire.Finished:
        """The news that both results are there. Raises PictureError when they aren't."""
        summary = dict(result.summary)
        if len(json.dumps(summary)) > MOST_SUMMARY:
            summary = {}  # it must fit into a frame's header, and the pictures are worth more
        upscaled, refined = self.result("upscaled").header, self.result("refined").header
        return wire.Finished(self.id, result.x, result.y, upscaled, refined, summary)

    def news_of(self, event: Event) -> wire.Message | None:
        """A worker's event as the clients are told of it."""
        if isinstance(event, StageStarted):
            return wire.Progress(self.id, event.stage, 0, event.tiles)
        if isinstance(event, TileFinished):
            return wire.Progress(self.id, event.stage, event.tile, event.tiles, event.seconds_left)
        if isinstance(event, TilePreview):
            box, (height, width) = event.bounds, event.pixels.shape[:2]
            return wire.Preview(self.id, box.x, box.y, box.width, box.height, width, height, event.pixels.tobytes())
        return None
