"""All workers of one core: a process for each device, and which of them is free.

The first worker, which there always is, says what devices the machine has; the others are made from it. Each is
started when a job first needs it, so that a single artist's jobs hold the memory of one device alone.
"""

import asyncio
from collections.abc import Iterator

from scumble_core.jobs.supervisor import Supervisor


class Workers:
    """One supervisor for each device. `take` one for a job, `give_back` afterwards."""

    def __init__(self, first: Supervisor) -> None:
        self._all = [first]
        self._taken: set[Supervisor] = set()
        first.watch(self._grow)

    def __iter__(self) -> Iterator[Supervisor]:
        return iter(self._all)

    def take(self, model: str = "") -> Supervisor | None:
        """A free one, if there is: rather one that holds this model, then one that is up at all."""
        free = [each for each in self._all if each not in self._taken]
        if not free:
            return None

        def trouble(worker: Supervisor) -> tuple[bool, bool]:
            loaded = () if worker.known is None else worker.known.loaded
            return model not in loaded, worker.state == "off"

        chosen = min(free, key=trouble)
        self._taken.add(chosen)
        return chosen

    def give_back(self, worker: Supervisor) -> None:
        """Its job is over."""
        self._taken.discard(worker)

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(worker.close() for worker in self._all))

    def _grow(self) -> None:
        """Once only: which devices there are doesn't change while we run."""
        first = self._all[0]
        if len(self._all) == 1 and first.known is not None:
            self._all += [first.beside(device) for device in first.known.devices[1:]]
