"""Both results of a job on their way in."""

from collections.abc import Mapping

from scumble.host.contract import HostError
from scumble.runs.spool import Spool
from scumble.words import tr
from scumble_bridge import messages as wire
from scumble_bridge.fields import RESULTS, Result
from scumble_bridge.qt_adapter import ScumbleClient


class Fetching:
    """Asks for them at once; a lost line means to begin anew, with another of these."""

    def __init__(self, client: ScumbleClient, finished: wire.Finished) -> None:
        """Raises HostError, and MisuseError without a line."""
        self.finished = finished
        self._spools: dict[Result, Spool] = {}
        try:
            self._spools["upscaled"] = Spool(finished.upscaled)
            self._spools["refined"] = Spool(finished.refined)
            for stream, spool in self._spools.items():
                client.fetch(finished.job, stream, spool.header.total_bytes)
        except Exception:
            self.close()
            raise

    @property
    def spools(self) -> "Mapping[Result, Spool]":
        return self._spools

    @property
    def received(self) -> int:
        return sum(spool.received for spool in self._spools.values())

    @property
    def total(self) -> int:
        return sum(spool.header.total_bytes for spool in self._spools.values())

    @property
    def is_whole(self) -> bool:
        return all(spool.is_whole for spool in self._spools.values())

    def take(self, piece: wire.Pixels) -> None:
        """Raises HostError."""
        for stream in RESULTS:
            if piece.stream == stream:
                spool = self._spools[stream]
                if spool.received or not piece.offset:  # else it was asked for before, when there was no room
                    spool.take(piece.offset, piece.data)
                return
        raise HostError(tr("The core sent what nobody asked for: run it again."))

    def close(self) -> None:
        """Let go of the files."""
        for spool in self._spools.values():
            spool.close()
