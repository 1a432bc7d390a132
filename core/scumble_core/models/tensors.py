"""What a weights file holds, told without torch and without reading the weights: names, shapes, types, metadata.

A file's head comes from anywhere, so nothing in it is believed: lengths are bounded before anything is read, and all
that the head promises is held against the file's size.
"""

import json
import math
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from scumble_core.errors import ScumbleError

LARGEST_HEAD = 100_000_000
# Bits of a number of each type, as safetensors names them.
BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip
PICKLED = frozenset({".ckpt", ".pt", ".pth", ".bin"})
SUFFIXES = frozenset({".safetensors", ".gguf", *PICKLED})
MOST_AXES = 64
# How many of a file's first bytes tell what it is.
SNIFFED = 24


@dataclass(frozen=True)
class Tensor:
    """A tensor's shape and type (safetensors' names, or a GGUF quantisation such as "Q4_K"), and where its bytes lie.

    `begin` counts from the file's start; None where the file doesn't say it simply.
    """

    shape: tuple[int, ...]
    dtype: str
    begin: int | None = None

    @property
    def count(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class Tensors:
    """All tensors of a model by name, the file's own metadata, and the bytes of its files."""

    named: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0

    def __contains__(self, name: object) -> bool:
        return name in self.named

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the tensor of this name; () if there is none."""
        found = self.named.get(name)
        return () if found is None else found.shape

    def size(self, name: str, axis: int) -> int:
        """One side of a tensor; 0 if there is no such tensor or axis."""
        shape = self.shape(name)
        return shape[axis] if -len(shape) <= axis < len(shape) else 0

    def within(self, prefix: str) -> "Tensors":
        """Those whose names begin so, without that beginning."""
        inner = {name.removeprefix(prefix): each for name, each in self.named.items() if name.startswith(prefix)}
        return Tensors(inner, self.metadata, self.bytes)


def read_tensors(path: Path) -> Tensors:
    """What the file holds. Raises ScumbleError, which names the file and says what is wrong with it."""
    suffix = path.suffix.lower()
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            broken(path, "it is no regular file")  # reading a pipe or a device could last for ever
        if suffix == ".safetensors":
            return read_safetensors(path)
        if suffix == ".gguf":
            from scumble_core.models.gguf import read_gguf

            return read_gguf(path)
        if suffix in PICKLED:
            from scumble_core.models.pickled import read_pickled

            return read_pickled(path)
    except FileNotFoundError as error:
        raise ScumbleError("unknown_model", f"There is no model file at {path}: choose another model.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ScumbleError(
            "unknown_model", f"{path} can't be read ({reason}): check the file's permissions."
        ) from error
    raise ScumbleError(
        "unknown_model", f"{path} is no weights file: Scumble reads {', '.join(sorted(SUFFIXES))} files."
    )


def read_safetensors(path: Path) -> Tensors:
    """A .safetensors file's head: 8 bytes of length, JSON, then the weights without gaps (the format's own rules)."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        told = file.read(SNIFFED)
        if (other := mistaken(told)) and told[8:9] != b"{":
            broken(path, other)
        length = _head_length(path, told[:8], size)
        file.seek(8)
        head = file.read(length)
    try:
        values = json.loads(head.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        broken(path, f"its head is no JSON: {str(error)[:80]}", error)
    if not isinstance(values, dict):
        broken(path, "its head is no JSON object")
    metadata = values.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict):
        broken(path, "its metadata is no JSON object")
    spans = {name: _span(path, name, entry) for name, entry in values.items()}
    _check_spans(path, spans.values(), size - 8 - length)
    return Tensors(
        {name: Tensor(shape, dtype, 8 + length + begin) for name, (shape, dtype, begin, _end) in spans.items()},
        {key: value for key, value in metadata.items() if isinstance(value, str)},
        size,
    )


def read_sharded(index: Path) -> Tensors:
    """All shards that a `*.safetensors.index.json` names, which must lie beside it, and hold what it says they do."""
    try:
        if index.stat().st_size > LARGEST_HEAD:
            broken(index, "it is too large")
        shards = json.loads(index.read_text("utf-8"))["weight_map"]
        named = {str(tensor): str(shard) for tensor, shard in shards.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        broken(index, "it is no list of shards", error)
    if any(Path(shard).name != shard for shard in named.values()):
        broken(index, "it names files outside of its folder")
    heads = {shard: read_tensors(index.parent / shard) for shard in sorted(set(named.values()))}
    gone = next((tensor for tensor, shard in named.items() if tensor not in heads[shard]), None)
    if gone is not None:
        broken(index, f"{named[gone]} does not hold {gone[:80]}")
    return merged(heads.values())


def merged(parts: Iterable[Tensors]) -> Tensors:
    """Several files as one; where names meet, the last one counts."""
    parts = tuple(parts)
    return Tensors(
        {name: tensor for part in parts for name, tensor in part.named.items()},
        {key: value for part in parts for key, value in part.metadata.items()},
        sum(part.bytes for part in parts),
    )


def read_values(path: Path, tensor: Tensor, most: int = 1 << 16) -> bytes:
    """A small tensor's own bytes, from a .safetensors file; b"" if it is larger than `most` bytes."""
    length = tensor.count * BITS.get(tensor.dtype, 0) // 8
    if tensor.begin is None or not 0 < length <= most:
        return b""
    with path.open("rb") as file:
        file.seek(tensor.begin)
        return file.read(length)


def read_bounded(file: BinaryIO, length: int, path: Path) -> bytes:
    """Exactly so many bytes, or the error that the file is cut off."""
    data = file.read(length)
    if len(data) != length:
        broken(path, "it is cut off")
    return data


def mistaken(head: bytes) -> str:
    """What a file is by its first bytes, if it is something that often goes by a model's name; else ""."""
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer in the place of the weights"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page"
    if head.startswith(b"GGUF"):
        return "it is a GGUF file by another name: rename it to .gguf"
    if head.startswith((b"PK\x03\x04", b"\x80\x02")):
        return "it is a pickled or zipped file by another name: rename it to .ckpt"
    return "it is a safetensors file by another name: rename it to .safetensors" if head[8:10] == b'{"' else ""


def broken(path: Path, what: str, cause: BaseException | None = None) -> NoReturn:
    """The error of a file that is not what its name says."""
    raise ScumbleError("unknown_model", f"{path} can't be read as a model ({what}): download it again.") from cause


def _head_length(path: Path, told: bytes, size: int) -> int:
    if len(told) < 8:
        broken(path, "it is cut off" if told else "it is empty")
    length = int.from_bytes(told, "little")
    if length > LARGEST_HEAD:
        broken(path, f"it would have a head of {length:,} bytes, so it is no safetensors file or damaged")
    if 8 + length > size:
        broken(path, f"it is cut off: its head alone has {length:,} bytes, the whole file {size:,}")
    return length


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name occurs twice")
    return values


def _span(path: Path, name: str, entry: object) -> tuple[tuple[int, ...], str, int, int]:
    """Shape, type, first and last byte of one tensor, each checked."""
    if not isinstance(entry, dict):
        broken(path, f"the tensor {name[:80]} is not described")
    shape, dtype, offsets = entry.get("shape"), entry.get("dtype"), entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in BITS:
        broken(path, f"the tensor {name[:80]} has the unknown type {str(dtype)[:20]}")
    sizes, ends = _sizes(shape, MOST_AXES), _sizes(offsets, 2)
    if sizes is None:
        broken(path, f"the tensor {name[:80]} has no shape that can be")
    if ends is None or len(ends) != 2:
        broken(path, f"the tensor {name[:80]} lies nowhere")
    begin, end = ends
    if math.prod(sizes) * BITS[dtype] != (end - begin) * 8:
        broken(path, f"the tensor {name[:80]} has not the bytes that its shape needs")
    return sizes, dtype, begin, end


def _sizes(values: object, most: int) -> tuple[int, ...] | None:
    """Whole numbers from 0, no more than so many; None if the values are anything else."""
    if not isinstance(values, list) or len(values) > most:
        return None
    good = all(type(each) is int and 0 <= each < 1 << 62 for each in values)
    return tuple(values) if good else None


def _check_spans(path: Path, spans: Iterable[tuple[tuple[int, ...], str, int, int]], size: int) -> None:
    """Without gaps and overlaps, and exactly to the file's end."""
    reached = 0
    for begin, end in sorted((begin, end) for _shape, _dtype, begin, end in spans):
        if begin != reached:
            broken(path, "its tensors overlap or leave gaps")
        reached = end
    if reached > size:
        broken(path, f"it is cut off: {reached - size:,} bytes of weights are missing")
    if reached < size:
        broken(path, f"{size - reached:,} bytes at its end belong to nothing")
