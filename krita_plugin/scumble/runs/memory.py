"""What outlives Krita: the runs that were under way, and the jobs that the core keeps for the next ones."""

import json
from collections.abc import Iterable

from scumble.host.contract import Host
from scumble.runs.kept import Kept
from scumble.runs.order import Order

RUNS, KEPT = "runs", "kept"
MOST_RUNS = 20


class Memory:
    """Reads and writes the host's texts."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._saved = host.load(RUNS)
        self._kept = Kept.from_json(host.load(KEPT))

    def orders(self) -> "tuple[Order, ...]":
        """The runs that were under way; what can't be read is left out."""
        return orders_from(self._host.load(RUNS))

    def remember(self, orders: "Iterable[Order]") -> None:
        """These are under way now."""
        text = json.dumps([order.to_values() for order in orders][-MOST_RUNS:])
        if text != self._saved:
            self._saved = text
            self._host.save(RUNS, text)

    def keep(self, document: str, job: str) -> "tuple[str, ...]":
        """A job has finished; those that the core may forget."""
        self._kept, gone = self._kept.with_job(document, job)
        self._host.save(KEPT, self._kept.to_json())
        return gone


def orders_from(text: str) -> "tuple[Order, ...]":
    """What `Memory.remember` wrote."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    orders = []
    for row in rows if isinstance(rows, list) else ():
        try:
            orders.append(Order.from_values(row))
        except (ValueError, TypeError):
            continue
    return tuple(orders)
