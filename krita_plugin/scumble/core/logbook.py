"""The last lines of what happened, of the panel and of the core: for diagnostics."""

import logging
from collections import deque
from pathlib import Path

MOST_LINES = 100
TAIL_BYTES = 64 * 1024


class LogBook(logging.Handler):
    """Keeps the last lines that were logged under "scumble". `close` it at the end."""

    def __init__(self, most: int = MOST_LINES) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        self._lines: deque[str] = deque(maxlen=most)
        self._logger = logging.getLogger("scumble")
        self._logger.addHandler(self)
        if self._logger.getEffectiveLevel() > logging.INFO:
            self._logger.setLevel(logging.INFO)

    @property
    def lines(self) -> "tuple[str, ...]":
        return tuple(self._lines)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.extend(self.format(record).splitlines())
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A line that can't be written is left out: nothing may be raised here."""

    def close(self) -> None:
        self._logger.removeHandler(self)
        super().close()


def last_lines(path: Path, most: int = MOST_LINES) -> "tuple[str, ...]":
    """Of a file; nothing where it can't be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-most:])
