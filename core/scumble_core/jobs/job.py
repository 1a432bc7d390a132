"""What the front door knows of one job: its entry in the journal, its folder, and who looks on."""

import asyncio
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from scumble_bridge import messages as wire
from scumble_bridge.fields import REGION_STREAMS, PictureHeader, Stream, Upload
from scumble_core.events import Event, JobResult, StageStarted, TileFinished, TilePreview
from scumble_core.jobs.admission import PROFILE, check_profile
from scumble_core.jobs.client import Client
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.previews import PREVIEWS, Previews
from scumble_core.jobs.states import ACTIVE, State
from scumble_core.jobs.transfer import Intake, PictureIntake, ProfileIntake, ResultReader

MOST_SUMMARY = 48 * 1024
# What a folder holds for as long as its job is wanted: enough to do without the journal, should that be lost.
ENTRY = "entry.json"


@dataclass(eq=False)
class Job:
    """A job between Submit and Release.

    `news`: what a client that attaches is told. `wish`: what the job is to become once its worker has stopped.
    `released`: nobody wants it any more.
    """

    entry: Entry
    folder: Path
    uploader: Client | None = None
    wish: State | None = None
    released: bool = False
    news: wire.Message | None = None
    intakes: dict[Upload, Intake] = field(default_factory=dict)
    watchers: set[Client] = field(default_factory=set)
    previews: Previews = field(init=False)

    def __post_init__(self) -> None:
        self.previews = Previews(self.folder / PREVIEWS)

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def state(self) -> State:
        return self.entry.state

    @property
    def is_active(self) -> bool:
        """Whether there is still something to do without anybody's asking."""
        return self.state in ACTIVE

    @property
    def missing(self) -> int:
        """How many bytes of its pictures are still to come."""
        return sum(intake.missing for intake in self.intakes.values())

    def create(self, order: wire.Submit) -> None:
        """The folder, with room for the pictures. Slow on some file systems; raises ScumbleError or OSError.

        Tiles that an earlier life of the job left are kept: their keys say whether they are of use.
        """
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name != "tiles":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        pictures: dict[Upload, PictureHeader | None] = {
            "source": order.source,
            "selection": order.selection,
            "strength": order.strength,
            **dict(zip(REGION_STREAMS, order.regions, strict=False)),
        }
        for stream, header in pictures.items():
            if header is not None:
                self.intakes[stream] = PictureIntake(self.folder / f"{stream}.npy", header)
        if order.profile:
            self.intakes["profile"] = ProfileIntake(self.folder / PROFILE, order.profile)

    def settle(self) -> None:
        """Check and write what the worker reads, and have the disk keep it all. Slow; raises OSError, PictureError."""
        check_profile(self.folder / PROFILE)
        (self.folder / "request.json").write_text(json.dumps(self.entry.request), encoding="utf-8")
        for path in (self.folder / "request.json", *(intake.path for intake in self.intakes.values())):
            sync(path)

    def want(self) -> None:
        """Note beside the pictures that the job is wanted. Raises OSError."""
        side = self.folder / f"{ENTRY}.part"
        side.write_text(json.dumps(self.entry.to_dict()), encoding="utf-8")
        side.replace(self.folder / ENTRY)

    def unwant(self) -> None:
        """The folder alone is no reason to run the job. Raises OSError."""
        (self.folder / ENTRY).unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove the folder with all that is in it."""
        for intake in self.intakes.values():
            intake.close()
        self.previews.drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tell(self, message: wire.Message, *, passing: bool = False) -> None:
        """Tell all who watch, and remember it, unless it passes."""
        if isinstance(message, wire.Preview):
            if not passing:
                self.previews.keep(message)
        else:
            self.news = message
        for client in self.watchers:
            client.tell(message)

    async def put_previews_aside(self) -> None:
        """The job has stopped: what it has shown goes from the memory to its folder."""
        await asyncio.to_thread(self.previews.save)
        if not self.is_active:
            self.previews.let_go()

    def result(self, stream: Stream) -> ResultReader:
        """One of its results, in the source's layout and depth. Raises PictureError."""
        return ResultReader(self.folder / f"{stream}.npy", self.entry.source.layout, self.entry.source.depth)

    def finished(self, result: JobResult) -> wire.Finished:
        """The news that both results are there. Raises PictureError when they aren't."""
        summary = dict(result.summary)
        if len(json.dumps(summary)) > MOST_SUMMARY:
            summary = {}  # it must fit into a frame's header, and the pictures are worth more
        upscaled, refined = self.result("upscaled").header, self.result("refined").header
        return wire.Finished(self.id, result.x, result.y, upscaled, refined, summary)

    def standing(self) -> wire.Message | None:
        """The news of a job that was read from the journal. Raises ScumbleError when its results are gone."""
        if self.entry.result is not None and self.state == "finished":
            return self.finished(JobResult.from_dict(self.entry.result))
        if self.entry.error is not None and self.state == "failed":
            return wire.Failed(self.id, *self.entry.error)
        if self.state == "cancelled":
            return wire.Cancelled(self.id)
        return wire.Progress(self.id, self.state, 0, 0)

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


def sync(path: Path) -> None:
    """Until the disk has the file. Raises OSError."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
