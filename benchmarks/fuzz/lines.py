"""Which lines of the bridge have been run."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from scumble_bridge import codec, connection, fields, flow, frames, handshake, messages

WATCHED = (codec, connection, fields, flow, frames, handshake, messages)


class Lines:
    """Lines of the watched modules that have been run, over all inputs."""

    def __init__(self) -> None:
        self._missing: dict[CodeType, set[int]] = {}
        for module in WATCHED:
            for code in _functions(module):
                self._missing[code] = {line for _, line in dis.findlinestarts(code) if line > code.co_firstlineno}
        self.total = sum(map(len, self._missing.values()))
        self.new = False

    @property
    def run(self) -> int:
        return self.total - sum(map(len, self._missing.values()))

    def watch(self, call: Callable[[], None]) -> None:
        """Call it; `new` says whether it ran a line that none before it has."""
        self.new = False
        if hasattr(sys, "monitoring"):
            self._monitor(call)
            return
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            call()
        finally:
            sys.settrace(before)

    def _hit(self, code: CodeType, line: int) -> None:
        missing = self._missing.get(code)
        if missing and line in missing:
            missing.discard(line)
            self.new = True

    def _trace(self, frame: FrameType, _event: str, _value: object) -> Callable[..., Any] | None:
        if not self._missing.get(frame.f_code):
            return None

        def local(frame: FrameType, event: str, _value: object) -> Callable[..., Any] | None:
            if event == "line":
                self._hit(frame.f_code, frame.f_lineno)
            return local

        return local

    def _monitor(self, call: Callable[[], None]) -> None:
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - Python 3.11, which mypy checks for, has none
        tool = monitoring.COVERAGE_ID

        def line_run(code: CodeType, line: int) -> object:
            self._hit(code, line)
            return monitoring.DISABLE

        monitoring.use_tool_id(tool, "fuzz")
        monitoring.register_callback(tool, monitoring.events.LINE, line_run)
        monitoring.set_events(tool, monitoring.events.LINE)
        try:
            call()
        finally:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)


def _functions(module: Any) -> Iterator[CodeType]:
    """All functions' code in a module's file, inner ones too."""
    path = Path(module.__file__)
    waiting = [compile(path.read_text("utf-8"), str(path), "exec")]
    names = {code.co_qualname for each in waiting for code in _inner(each)}
    for owner in [module, *(each for each in vars(module).values() if isinstance(each, type))]:
        if getattr(owner, "__module__", module.__name__) != module.__name__:
            continue
        for each in vars(owner).values():
            function = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
            code = getattr(function, "__code__", None)
            if code is not None and code.co_filename == str(path) and code.co_qualname in names:
                yield from (code, *_inner(code))


def _inner(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _inner(each)
