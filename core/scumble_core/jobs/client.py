"""One connected client: what it is told, and the results that flow to it."""

import asyncio
import logging
import uuid
from collections.abc import Callable

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel
from scumble_bridge.errors import MisuseError
from scumble_bridge.fields import Stream
from scumble_core.errors import ScumbleError
from scumble_core.jobs.transfer import ResultReader

PIECE = 1024 * 1024
# A client that doesn't read misses previews and progress before our memory grows.
MOST_UNSENT = 4 * 1024 * 1024

_log = logging.getLogger("scumble.client")


class Client:
    """A channel with its deliveries."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.name = f"client-{uuid.uuid4().hex[:12]}"  # for the queue's turns, when it gives none itself
        self._deliveries: dict[tuple[str, Stream], asyncio.Task[None]] = {}
        self._credited = asyncio.Event()

    @property
    def keeps_up(self) -> bool:
        """Whether it reads what it is told."""
        return self.channel.is_open and self.channel.unsent <= MOST_UNSENT

    def tell(self, message: wire.Message) -> None:
        """Send a small message. News may be left out, answers may not."""
        passing = isinstance(message, wire.Preview | wire.Progress | wire.Queue)
        if not self.channel.is_open or (passing and not self.keeps_up):
            return
        try:
            self.channel.post(message)
        except MisuseError as error:
            _log.error("A message was not sent: %s", error)

    def credited(self) -> None:
        """The client waits for more bytes of some stream."""
        self._credited.set()

    def deliver(self, job: str, stream: Stream, reader: ResultReader, sent: Callable[[], None]) -> None:
        """Start to send a result, as credit allows; `sent` is called when all of it is under way."""
        self.stop(job, stream)
        work = self._deliver(job, stream, reader, sent)
        self._deliveries[job, stream] = asyncio.get_running_loop().create_task(work)

    def stop(self, job: str, stream: Stream) -> None:
        """End a delivery, if there is one."""
        task = self._deliveries.pop((job, stream), None)
        if task is not None:
            task.cancel()

    def stop_job(self, job: str) -> None:
        """End the deliveries of a job."""
        for name, stream in list(self._deliveries):
            if name == job:
                self.stop(name, stream)

    def stop_all(self) -> None:
        """End all deliveries."""
        for job, stream in list(self._deliveries):
            self.stop(job, stream)

    async def _deliver(self, job: str, stream: Stream, reader: ResultReader, sent: Callable[[], None]) -> None:
        offset, total = 0, reader.header.total_bytes
        try:
            while offset < total:
                self._credited.clear()
                size = min(PIECE, total - offset, self.channel.sendable(job, stream))
                if not size:
                    await self._credited.wait()
                    continue
                await self.channel.send(wire.Pixels(job, stream, offset, reader.read(offset, size)))
                offset += size
            sent()
        except ScumbleError as error:
            self.tell(wire.Failed(job, error.code, error.message))
        except (MisuseError, OSError) as error:
            _log.info("A delivery ended early: %s", error)
        finally:
            reader.close()
            if self._deliveries.get((job, stream)) is asyncio.current_task():
                del self._deliveries[job, stream]
