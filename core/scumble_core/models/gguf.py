"""The head of a GGUF file (quantised weights, as llama.cpp and ComfyUI-GGUF keep them): names, shapes, architecture.

The layout is the public specification's: magic, version, counts, key-value pairs, then one entry a tensor. Shapes are
stored with the fastest axis first, and turned round here.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from scumble_core.models.tensors import LARGEST_HEAD, Tensor, Tensors, broken, read_bounded

MOST_ENTRIES = 1_000_000
_SCALARS: Mapping[int, int] = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_TYPES: Mapping[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 30: "BF16",
}  # fmt: skip


def read_gguf(path: Path) -> Tensors:
    """Names, shapes and types; metadata's texts. Raises ScumbleError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = _Head(path, file)
        if head.take(4) != b"GGUF" or head.number("<I") not in (2, 3):
            broken(path, "it is no GGUF file of version 2 or 3")
        tensors, pairs = head.number("<Q"), head.number("<Q")
        if max(tensors, pairs) > MOST_ENTRIES:
            broken(path, "it would hold too many tensors")
        metadata = {}
        for _ in range(pairs):
            key = head.text()
            value = head.value(head.number("<I"))
            if isinstance(value, str):
                metadata[key] = value
        return Tensors(dict(head.tensor() for _ in range(tensors)), metadata, size)


class _Head:
    """Reads on; no more than a head may have in all."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._left = LARGEST_HEAD

    def take(self, length: int) -> bytes:
        self._left -= length
        if self._left < 0:
            broken(self._path, "its head is too long")
        return read_bounded(self._file, length, self._path)

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def text(self) -> str:
        return self.take(self.number("<Q")).decode("utf-8", "replace")

    def value(self, kind: int) -> str | None:
        """A text, or None for anything else, which is passed over."""
        if kind == _STRING:
            return self.text()
        if kind in _SCALARS:
            self.take(_SCALARS[kind])
        elif kind == _ARRAY:
            inner, count = self.number("<I"), self.number("<Q")
            if inner in _SCALARS:
                self.take(_SCALARS[inner] * count)
            elif inner == _STRING and count <= MOST_ENTRIES:
                for _ in range(count):
                    self.text()
            else:
                broken(self._path, "its metadata can't be understood")
        else:
            broken(self._path, "its metadata can't be understood")
        return None

    def tensor(self) -> tuple[str, Tensor]:
        name, axes = self.text(), self.number("<I")
        if axes > 8:
            broken(self._path, f"the tensor {name[:80]} has no shape that can be")
        shape = tuple(self.number("<Q") for _ in range(axes))
        kind = self.number("<I")
        self.number("<Q")
        return name, Tensor(shape[::-1], _TYPES.get(kind, "quantised"))
