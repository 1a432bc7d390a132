"""What clients ask of the core itself: what it is and has, and what a job would take."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from scumble_bridge import messages as wire
from scumble_core.errors import ScumbleError
from scumble_core.jobs import pace
from scumble_core.jobs.client import Client
from scumble_core.jobs.estimates import Machine, estimated
from scumble_core.jobs.job import Job
from scumble_core.jobs.supervisor import JobError, Supervisor

# Estimates of one client that wait for their turn.
MOST_ASKED = 16
UNKNOWN = "unknown"
_STATES: tuple[str, ...] = ("off", "starting", "ready", "busy")

_log = logging.getLogger("scumble.answers")


class Answers:
    """Knows the workers, and how long jobs have taken."""

    def __init__(
        self, workers: Callable[[], Sequence[Supervisor]], describe: Callable[[str], wire.Described], paces: Path
    ) -> None:
        """`workers`: all, the first one first. `describe`: what the core offers. `paces`: the file of past runs."""
        self._workers = workers
        self._describe = describe
        self._paces = paces
        self._runs: tuple[pace.Run, ...] | None = None
        self._turn = asyncio.Lock()  # estimates one at a time: they compete with the pixels for this process
        self._waiting: Counter[Client] = Counter()

    async def device(self) -> str:
        """What the first worker computes on, when it has said so."""
        try:
            return await self._workers()[0].describe()
        except JobError as error:
            _log.error("%s", error)
            return UNKNOWN

    async def describe(self, client: Client) -> None:
        """At once, and once more when the worker has said what was not yet known."""
        known = self._workers()[0].known is not None
        client.tell(await self._described())
        if not known:
            await self.device()
            client.tell(await self._described())

    async def estimate(self, client: Client, asked: wire.Estimate) -> None:
        """In its turn. Every question is answered, if only with a sentence."""
        if self._waiting[client] >= MOST_ASKED:
            client.tell(wire.Estimated(asked.ask, {}, f"{MOST_ASKED} estimates are asked for already: wait for them."))
            return
        self._waiting[client] += 1
        try:
            async with self._turn:
                if client.channel.is_open:
                    client.tell(await self._estimated(asked))
        finally:
            self._waiting[client] -= 1
            self._waiting += Counter()  # forgets those with nothing left

    def note(self, job: Job) -> None:
        """A job has finished: the next estimates know how long it took."""
        run = pace.run_of((job.entry.result or {}).get("summary", {}))
        if run is None:
            return
        self._runs = pace.noted(self._past(), run)
        side = self._paces.with_suffix(".part")
        try:
            side.write_text(json.dumps(pace.to_list(self._runs)), encoding="utf-8")
            side.replace(self._paces)
        except OSError as error:
            _log.info("%s was not written: %s", self._paces, error)

    async def _described(self) -> wire.Described:
        workers = self._workers()
        known = [each.known for each in workers if each.known is not None]
        first = workers[0].known
        offered = await asyncio.to_thread(self._describe, UNKNOWN if first is None else first.device)
        computing = (*offered.models, *offered.refiners, *offered.upscalers, *offered.restorers)
        names = {each.id: each.name for each in computing}
        loaded = dict.fromkeys(names.get(model, Path(model).name) for each in known for model in each.loaded)
        return replace(
            offered,
            memory=0 if first is None else first.memory,
            free=0 if first is None else first.free,
            worker=max((each.state for each in workers), key=_STATES.index),
            loaded=tuple(loaded)[:64],
        )

    async def _estimated(self, asked: wire.Estimate) -> wire.Estimated:
        known = self._workers()[0].known
        base = str(asked.request.get("base", "starter"))
        measured = None if known is None else pace.pace_of(self._past(), base, known.devices)
        machine = Machine() if known is None else Machine(known.memory or None, measured, known.loaded)
        try:
            return wire.Estimated(asked.ask, await asyncio.to_thread(estimated, asked, machine))
        except ScumbleError as error:
            return wire.Estimated(asked.ask, {}, error.message[:8000])
        except Exception as error:  # a plan must not take the core with it
            _log.exception("An estimate failed")
            return wire.Estimated(
                asked.ask, {}, f"This can't be estimated ({type(error).__name__}): see the core's log."
            )

    def _past(self) -> tuple[pace.Run, ...]:
        if self._runs is None:
            try:
                self._runs = pace.from_list(json.loads(self._paces.read_text(encoding="utf-8")))
            except (OSError, ValueError):
                self._runs = ()
        return self._runs
