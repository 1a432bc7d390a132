"""A host that is a picture in memory: everything else (panel, runs, link, wire, core, models) is real."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scumble.geometry import Box, with_context
from scumble.host.contract import HostError, LayerChoice, Offer, Placed, Target
from scumble.qt import QtGui
from scumble_bridge.fields import PictureHeader


def picture(height=64, width=96):
    y, x = np.mgrid[0:height, 0:width]
    out = np.full((height, width, 4), 255, np.uint8)
    out[..., 0], out[..., 1], out[..., 2] = 40, x * 2 % 256, y * 3 % 256
    return out


def noisy(height, width, seed=1):
    """Nothing flat anywhere: every tile has to be refined."""
    grain = np.random.default_rng(seed).integers(0, 80, (height, width, 4), np.uint8)
    out = picture(height, width) // 2 + grain
    out[..., 3] = 255
    return out


@dataclass
class FakeMask:
    pixels: np.ndarray

    def read(self, offset, size):
        return self.pixels.tobytes()[offset : offset + size]


@dataclass
class FakeSnapshot:
    pixels: np.ndarray
    target: Target
    selection: bytes | None = None
    profile: bytes = b""
    released: int = 0
    unreadable: bool = False
    strength: FakeMask | None = None
    regions: tuple = ()

    @property
    def header(self):
        return PictureHeader(self.pixels.shape[1], self.pixels.shape[0], "u8", "bgra")

    def read(self, offset, size):
        if self.unreadable:
            raise ZeroDivisionError("a layer of dust")
        assert not self.released
        return self.pixels.tobytes()[offset : offset + size]

    def release(self):
        self.released += 1


@dataclass
class FakeHost:
    """One document at a time; `texts` is what outlives the program, `notes` what lies in documents."""

    pixels: np.ndarray
    key: str = "document-1"
    file: str = ""
    reason: str = ""
    selected: Box | None = None
    profile: bytes = b""
    texts: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    placed: list = field(default_factory=list)
    snapshots: list = field(default_factory=list)
    shown: list = field(default_factory=list)
    pointer: tuple | None = None
    unreadable: bool = False
    refuses: str = ""
    guides: dict = field(default_factory=dict)  # one-channel pictures of the canvas's size, by their layer's id

    @property
    def canvas(self):
        return Box(0, 0, self.pixels.shape[1], self.pixels.shape[0])

    def _target(self, wanted):
        selected = self.selected if wanted.source == "selection" else None
        box = self.canvas if selected is None else with_context(selected, self.canvas)
        return Target(self.key, self.file, self.canvas, box, selected, "")

    def unavailable(self, wanted):
        if not self.reason and wanted.source == "selection" and self.selected is None:
            return "Nothing is selected."
        gone = [
            layer for layer in (*wanted.guides.regions, wanted.guides.strength) if layer and layer not in self.guides
        ]
        return self.reason or ("The layer is gone." if gone else "")

    def offer(self, wanted):
        if self.unavailable(wanted):
            raise HostError(self.unavailable(wanted))
        return Offer(self._target(wanted), "RGB, 8 bits", "u8")

    def layers(self):
        return (
            LayerChoice("layer-1", "Paint", 0),
            *(LayerChoice(each, each, 0, is_guide=True) for each in self.guides),
        )

    def thumbnail(self, wanted, side):
        yield
        return QtGui.QImage(side, side, QtGui.QImage.Format.Format_RGB32)

    def take(self, wanted):
        if self.unavailable(wanted):
            raise HostError(self.unavailable(wanted))
        yield
        target = self._target(wanted)
        box, selection = target.box, None
        if target.selected is not None:
            mask = np.zeros(self.pixels.shape[:2], np.uint8)
            chosen = target.selected
            mask[chosen.y : chosen.bottom, chosen.x : chosen.right] = 255
            selection = mask[box.y : box.bottom, box.x : box.right].tobytes()
        pixels = self.pixels[box.y : box.bottom, box.x : box.right].copy()
        yield
        snapshot = FakeSnapshot(pixels, target, selection, self.profile, unreadable=self.unreadable)
        if wanted.guides.strength:
            snapshot.strength = self._mask(wanted.guides.strength, box)
        snapshot.regions = tuple(self._mask(layer, box) for layer in wanted.guides.regions)
        self.snapshots.append(snapshot)
        return snapshot

    def _mask(self, layer, box):
        return FakeMask(self.guides[layer][box.y : box.bottom, box.x : box.right].copy())

    def cursor(self):
        return self.pointer

    def place(self, target, delivery):
        if self.refuses:
            raise HostError(self.refuses)
        got = {}
        for name, result in (("upscaled", delivery.upscaled), ("refined", delivery.refined)):
            header = result.header
            got[name] = np.frombuffer(result.rows(0, header.height), np.uint8).reshape(header.height, header.width, 4)
            yield
        self.placed.append((target, delivery, got))
        number = len(self.placed)
        document = f"new-{number}" if delivery.placement.destination == "new" else self.key
        return Placed(document, f"group-{number}", f"upscaled-{number}", f"refined-{number}")

    def show_before(self, placed, before):
        self.shown.append((placed.refined, before))
        return True

    def active_document(self):
        return self.key

    def load(self, name):
        return self.texts.get(name, "")

    def save(self, name, text):
        self.texts[name] = text

    def load_note(self, document, name):
        return self.notes.get((document, name), b"")

    def save_note(self, document, name, data):
        self.notes[document, name] = data

    @property
    def refined(self):
        return self.placed[-1][2]["refined"]
