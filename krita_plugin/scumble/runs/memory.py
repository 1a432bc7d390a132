"""What outlives Krita: the runs that were under way, and the jobs that the core keeps for the next ones."""

import json
from collections.abc import Iterable

from scumble.host.contract import Host
from scumble.runs.kept import Kept
from scumble.runs.order import Order
from scumble.runs.seat import Seat

RUNS, KEPT = "runs", "kept"
MOST_RUNS = 20


class Memory:
    """Reads and writes the host's texts. Of several Kritas each has its own, by its seat."""

    def __init__(self, host: Host, seat: Seat) -> None:
        self._host = host
        self._seat = seat
        self._runs, self._keeps = _of(RUNS, seat.number), _of(KEPT, seat.number)
        self._saved = host.load(self._runs)
        self._kept = Kept.from_json(host.load(self._keeps))

    def orders(self) -> "tuple[Order, ...]":
        """The runs that were under way, here and in Kritas that are gone; what can't be read is left out."""
        found = list(orders_from(self._host.load(self._runs)))
        with self._seat.others() as empty:
            for name in (_of(RUNS, number) for number in empty):
                left = orders_from(self._host.load(name))
                found.extend(order for order in left if all(order.job != each.job for each in found))
                if left:
                    self._host.save(name, "[]")
            if found:
                self.remember(found)
        return tuple(found)

    def remember(self, orders: "Iterable[Order]") -> None:
        """These are under way now."""
        text = json.dumps([order.to_values() for order in orders][-MOST_RUNS:])
        if text != self._saved:
            self._saved = text
            self._host.save(self._runs, text)

    def keep(self, document: str, job: str) -> "tuple[str, ...]":
        """A job has finished; those that the core may forget."""
        self._kept, gone = self._kept.with_job(document, job)
        self._host.save(self._keeps, self._kept.to_json())
        return gone


def _of(name: str, seat: int) -> str:
    return name if seat == 1 else f"{name}-{seat}"


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
