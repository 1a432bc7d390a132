"""Carries one job from the button to the layers: source out, progress in, results in, layers placed.

Theory of operation: everything happens in slots, in the GUI thread; nothing waits. The state is a JobState value, and
each change of it is one signal. Whatever ends a job goes through `_finish`, which lets go of all that it held.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from scumble.core_link import CoreLink
from scumble.host.base import Delivery, Host, HostError, Snapshot
from scumble.job import JobState
from scumble.qt import QtCore
from scumble.settings import Settings
from scumble.spool import Spool
from scumble_bridge import messages as wire
from scumble_bridge.errors import MisuseError
from scumble_bridge.fields import PictureHeader, Stream


@dataclass
class _Job:
    """What a running job holds."""

    settings: Settings
    snapshot: Snapshot
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    finished: "wire.Finished | None" = None
    spools: "dict[Stream, Spool]" = field(default_factory=dict)
    steps: "Iterator[str] | None" = None
    said: str = ""


class Runner(QtCore.QObject):
    """One job at a time."""

    changed = QtCore.pyqtSignal(object)  # JobState
    preview = QtCore.pyqtSignal(object)  # wire.Preview
    described = QtCore.pyqtSignal(object)  # wire.Described

    def __init__(self, host: Host, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.state = JobState()
        self._host = host
        self._job: _Job | None = None
        self._link = CoreLink(self)
        self._link.ready.connect(self._ready)
        self._link.failed.connect(self._fail)
        self._link.lost.connect(self._lost)
        self._client = self._link.client
        self._client.message.connect(self._event)
        self._client.uploaded.connect(self._sent)
        self._client.upload_failed.connect(self._unreadable)

    @property
    def output_size(self) -> "tuple[int, int] | None":
        """The size that the running job refines at: previews come in its pixels."""
        if self._job is None:
            return None
        scale, box = self._job.settings.scale, self._job.snapshot.box
        return max(1, round(box.width * scale)), max(1, round(box.height * scale))

    def start(self, settings: Settings) -> None:
        """Take the source now, and do the rest as the core answers."""
        if self._job is not None:
            return
        try:
            self._job = _Job(settings, self._host.snapshot(settings.source))
        except HostError as error:
            self._set(JobState("failed", message=str(error)))
            return
        self._set(JobState("connecting"))
        self._link.ensure()

    def cancel(self) -> None:
        """Stop at once, whatever goes on; the document is as it was."""
        job = self._job
        if job is None or self.state.phase == "placing":
            return
        self._tell(wire.Release(job.id) if job.finished else wire.Cancel(job.id))
        self._finish(JobState("stopped"))

    def describe(self) -> None:
        """Ask a core that already runs for its models; starts none."""
        if self._job is None:
            self._link.ensure(start=False)

    def close(self) -> None:
        """Krita ends: let the core stop what nobody will fetch."""
        self.cancel()
        self._link.close()

    # From the core.

    def _ready(self) -> None:
        self._tell(wire.Describe())
        job = self._job
        if job is None or self.state.phase != "connecting":
            return
        box, header, mask = job.snapshot.box, job.snapshot.header, job.snapshot.selection
        selection = None if mask is None else PictureHeader(header.width, header.height, "u8", "mask")
        self._set(JobState("sending", total=header.total_bytes))
        self._tell(wire.Submit(job.id, job.settings.request(box.x, box.y), header, selection))

    def _event(self, message: wire.Message) -> None:
        if isinstance(message, wire.Described):
            self.described.emit(message)
            return
        job = self._job
        if job is None or getattr(message, "job", None) != job.id:
            return
        try:
            self._of_job(job, message)
        except (HostError, MisuseError) as error:
            self._tell(wire.Cancel(job.id))
            self._fail(str(error))

    def _of_job(self, job: _Job, message: wire.Message) -> None:
        if isinstance(message, wire.Accepted):
            self._upload(job)
        elif isinstance(message, wire.Progress):
            self._set(JobState("running", message.stage, message.tile, message.tiles, message.seconds_left))
        elif isinstance(message, wire.Preview):
            self.preview.emit(message)
        elif isinstance(message, wire.Finished):
            self._fetch(job, message)
        elif isinstance(message, wire.Pixels):
            self._receive(job, message)
        elif isinstance(message, wire.Failed):
            self._fail(message.message)
        elif isinstance(message, wire.Cancelled):
            self._finish(JobState("stopped"))

    def _upload(self, job: _Job) -> None:
        snapshot = job.snapshot
        self._client.upload(job.id, "source", snapshot.header.total_bytes, snapshot.read)
        mask = snapshot.selection
        if mask is not None:
            whole = mask
            self._client.upload(job.id, "selection", len(mask), lambda offset, size: whole[offset : offset + size])

    def _sent(self, job: str, stream: str, count: int, total: int) -> None:
        if self._job is not None and job == self._job.id and self.state.phase == "sending" and stream == "source":
            self._set(JobState("sending", done=count, total=total) if count < total else JobState("waiting"))

    def _fetch(self, job: _Job, message: wire.Finished) -> None:
        job.finished = message
        job.spools = {"upscaled": Spool(message.upscaled), "refined": Spool(message.refined)}
        self._set(JobState("receiving", total=sum(spool.header.total_bytes for spool in job.spools.values())))
        for stream, spool in job.spools.items():
            self._client.fetch(job.id, stream, spool.header.total_bytes)

    def _receive(self, job: _Job, message: wire.Pixels) -> None:
        spool = job.spools[message.stream]
        spool.take(message.offset, message.data)
        received = sum(each.received for each in job.spools.values())
        self._set(JobState("receiving", done=received, total=self.state.total))
        if all(each.is_whole for each in job.spools.values()) and job.finished is not None:
            self._set(JobState("placing"))
            spools, there = job.spools, job.finished
            delivery = Delivery(job.settings, there.x, there.y, spools["upscaled"], spools["refined"])
            job.steps = self._host.place(job.snapshot, delivery)
            QtCore.QTimer.singleShot(0, self._place)

    def _place(self) -> None:
        """One step at a time, so that Krita stays alive between bands."""
        job = self._job
        if job is None or job.steps is None:
            return
        try:
            job.said = next(job.steps)
        except StopIteration:
            self._tell(wire.Release(job.id))
            self._finish(JobState("done", message=job.said))
        except HostError as error:
            self._tell(wire.Release(job.id))
            self._fail(str(error))
        except Exception as error:  # a slot that raises would open Krita's script error dialog
            self._tell(wire.Release(job.id))
            self._fail(f"The layers could not be placed ({type(error).__name__}: {error}): please report it.")
        else:
            QtCore.QTimer.singleShot(0, self._place)

    def _lost(self) -> None:
        if self._job is not None and self.state.phase != "placing":
            self._fail(
                "The core stopped in the middle of the job. The document is as it was: press Refine to try again."
            )

    def _unreadable(self, job: str, reason: str) -> None:
        if self._job is not None and job == self._job.id:
            self._fail(reason)

    def _fail(self, reason: str) -> None:
        if self._job is not None:
            self._finish(JobState("failed", message=reason))

    # The one way out.

    def _finish(self, state: JobState) -> None:
        job, self._job = self._job, None
        if job is not None:
            for spool in job.spools.values():
                spool.close()
            job.snapshot.release()
        self._set(state)

    def _tell(self, message: wire.Message) -> None:
        if self._client.is_open:
            self._client.send(message)

    def _set(self, state: JobState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)
