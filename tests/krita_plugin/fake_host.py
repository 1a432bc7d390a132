"""A host that is a picture in memory: everything else (panel, link, wire, core, models) is real."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scumble.geometry import Box
from scumble.host.base import HostError
from scumble.settings import Settings
from scumble_bridge.fields import PictureHeader


@dataclass
class FakeSnapshot:
    pixels: np.ndarray
    selection: bytes | None = None
    released: bool = False

    @property
    def header(self):
        return PictureHeader(self.pixels.shape[1], self.pixels.shape[0], "u8", "bgra")

    @property
    def box(self):
        return Box(0, 0, self.pixels.shape[1], self.pixels.shape[0])

    def read(self, offset, size):
        return self.pixels.tobytes()[offset : offset + size]

    def release(self):
        self.released = True


@dataclass
class FakeHost:
    pixels: np.ndarray
    reason: str = ""
    settings: Settings = field(default_factory=Settings)
    placed: dict = field(default_factory=dict)
    snapshots: list = field(default_factory=list)
    unreadable: bool = False

    def unavailable(self, source):
        return self.reason

    def snapshot(self, source):
        if self.reason:
            raise HostError(self.reason)
        self.snapshots.append(FakeSnapshot(self.pixels))
        if self.unreadable:
            self.snapshots[-1].read = lambda offset, size: 1 // 0
        return self.snapshots[-1]

    def place(self, snapshot, delivery):
        for name, result in (("upscaled", delivery.upscaled), ("refined", delivery.refined)):
            header = result.header
            rows = result.rows(0, header.height)
            self.placed[name] = np.frombuffer(rows, np.uint8).reshape(header.height, header.width, 4)
            yield ""
        yield "Done."

    def load_settings(self):
        return self.settings

    def save_settings(self, settings):
        self.settings = settings
