"""Fetch a model from the hub: only what somebody named, its size known first, resumed where it was cut, and checked.

This is the one place of Scumble that opens a connection to another machine.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from scumble_core.errors import ScumbleError
from scumble_core.models.network import network, quiet
from scumble_core.models.tensors import SUFFIXES

RECORD = ".scumble-pull.json"
LARGEST_INDEX = 1_000_000
_ID = re.compile(r"(?P<repository>\w[\w.-]*/\w[\w.-]*)(?:/(?P<path>[^@]+))?(?:@(?P<revision>[\w./-]+))?")
_TEXTS = (".json", ".txt", ".model")
_VARIANT = re.compile(r"\.(fp16|bf16|fp8|non_ema|ema_only|openvino|onnx)[.-]")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository. `sha256` is "" for small ones, which have `blob`, git's own hash."""

    name: str
    size: int
    sha256: str = ""
    blob: str = ""


@dataclass(frozen=True)
class Pull:
    """What would be fetched, and where it would lie."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]
    folder: Path
    endpoint: str | None = None

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def model(self) -> Path:
        """The model itself: the folder, or its one weights file."""
        weights = [file for file in self.files if PurePosixPath(file.name).suffix in SUFFIXES]
        whole = any(PurePosixPath(file.name).name in ("model_index.json", "config.json") for file in self.files)
        return self.folder if whole or len(weights) != 1 else self.folder / weights[0].name

    @property
    def bytes_left(self) -> int:
        """What isn't here yet."""
        return sum(file.size - _have(self.folder, file) for file in self.files)


def look_up(wanted: str, models: Path, endpoint: str | None = None) -> Pull:
    """What OWNER/NAME, OWNER/NAME/FILE, either with @REVISION, stands for. Raises ScumbleError."""
    found = _ID.fullmatch(wanted)
    if found is None:
        raise ScumbleError("bad_request", f"'{wanted}' is no id: give OWNER/NAME, or OWNER/NAME/FILE.safetensors.")
    repository = found["repository"]
    with network(wanted):
        from huggingface_hub import HfApi

        info = HfApi(endpoint=endpoint).model_info(repository, revision=found["revision"], files_metadata=True)
        siblings = [
            RemoteFile(
                each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs is not None else "", each.blob_id or ""
            )
            for each in info.siblings or ()
        ]
        commit = info.sha or "main"
    files = tuple(file for file in siblings if _is_inside(file.name))
    folder = models / "pulled" / repository.replace("/", "--")
    asked = Pull(repository, commit, files, folder, endpoint)
    parts: Sequence[str] = ()
    index = next((file for file in files if file.name == "model_index.json"), None)
    if index is not None and not found["path"]:
        with network(wanted):
            parts = _parts(_small(asked, index))
    return Pull(repository, commit, select(files, parts, found["path"] or ""), folder, endpoint)


def select(files: Sequence[RemoteFile], parts: Sequence[str], path: str = "") -> tuple[RemoteFile, ...]:
    """Which files of a repository are the model: one that was named, a pipeline's parts, or the only weights.

    Raises ScumbleError, which names the weights to choose among.
    """
    weights = [file for file in files if PurePosixPath(file.name).suffix in SUFFIXES]
    if path:
        named = tuple(file for file in weights if file.name == path)
        if not named:
            raise ScumbleError("bad_request", f"There are no weights {path} there: {_listed(weights)}.")
        return named
    if parts:
        pipeline = [file for file in files if file.name == "model_index.json"]
        for part in parts:
            pipeline += _part([file for file in files if str(PurePosixPath(file.name).parent) == part])
            # Processors and tokenizers may have folders of their own, with nothing large in them.
        return tuple(pipeline)
    root = [file for file in files if "/" not in file.name]
    if any(file.name == "config.json" for file in root) and (only := _part(root)):
        return tuple(only)
    plain = [file for file in weights if file.name.endswith((".safetensors", ".gguf"))] or weights
    if len(plain) != 1:
        raise ScumbleError("bad_request", f"Say which of its weights is wanted, as OWNER/NAME/FILE: {_listed(plain)}.")
    return tuple(plain)


def fetch(pull: Pull, tell: Callable[[int], None] = lambda _count: None) -> Path:
    """Fetch what is not here yet; where the model lies then. `tell` is called with the bytes that came.

    A file lies under another name until it is whole and its checksum is right. Raises ScumbleError.
    """
    pull.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(pull.folder).free
    if pull.bytes_left > free:
        raise ScumbleError(
            "disk_full",
            f"{pull.repository} needs {pull.bytes_left / 1e9:.1f} GB more in {pull.folder}, where "
            f"{free / 1e9:.1f} GB are free: make room, or choose a smaller model.",
        )
    for file in pull.files:
        if _have(pull.folder, file) != file.size or not (pull.folder / file.name).exists():
            _fetch_file(pull, file, tell)
    hashes = {file.name: file.sha256 or f"blob {file.blob}" for file in pull.files}
    record = {"repository": pull.repository, "commit": pull.commit, "files": {**_recorded(pull.folder), **hashes}}
    (pull.folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return pull.model


def damaged(folder: Path) -> list[Path]:
    """Files of a pulled model that are not what the hub said they are, or are gone."""
    return [
        folder / name
        for name, digest in sorted(_recorded(folder).items())
        if _is_inside(name) and not _is_right(folder / name, digest)
    ]


def _fetch_file(pull: Pull, file: RemoteFile, tell: Callable[[int], None]) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    target, part = pull.folder / file.name, _part_file(pull.folder, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    with network(pull.repository), quiet(), part.open("r+b" if part.exists() else "w+b") as opened:
        have = opened.seek(0, 2)
        if have > file.size:
            have = opened.truncate(0)
            opened.seek(0)
        http_get(
            hf_hub_url(pull.repository, file.name, revision=pull.commit, endpoint=pull.endpoint),
            cast(BinaryIO, _Told(opened, tell)), resume_size=have, headers=build_hf_headers(),
            expected_size=file.size,
        )  # fmt: skip
    if not _is_right(part, file.sha256 or f"blob {file.blob}"):
        part.unlink()
        raise ScumbleError("unknown_model", f"{file.name} of {pull.repository} was damaged on its way: pull it again.")
    part.replace(target)


class _Told:
    """A file that tells how much is written to it."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        self._tell(written)
        return written

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


def _part(files: Iterable[RemoteFile]) -> list[RemoteFile]:
    """One folder's descriptions and its weights: the plain ones, in one file or in shards."""
    files = list(files)
    tensors = [file for file in files if file.name.endswith(".safetensors")]
    plain = [file for file in tensors if not _VARIANT.search(file.name)] or tensors
    usual = [file for file in plain if re.search(r"(^|/)(diffusion_pytorch_model|model)[.-]", file.name)]
    texts = [file for file in files if file.name.endswith(_TEXTS) and not _VARIANT.search(file.name)]
    return [*texts, *(usual or plain)]


def _parts(index: bytes) -> tuple[str, ...]:
    """The parts that a pipeline's index names, which are its folders."""
    values = json.loads(index)
    names = values.items() if isinstance(values, dict) else ()
    return tuple(name for name, value in names if isinstance(value, list) and value and value[0] is not None)


def _small(pull: Pull, file: RemoteFile) -> bytes:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    if file.size > LARGEST_INDEX:
        raise ValueError(f"{file.name} is too large")
    opened = BytesIO()
    with quiet():
        url = hf_hub_url(pull.repository, file.name, revision=pull.commit, endpoint=pull.endpoint)
        http_get(url, opened, headers=build_hf_headers(), expected_size=file.size)
    return opened.getvalue()


def _have(folder: Path, file: RemoteFile) -> int:
    whole, part = folder / file.name, _part_file(folder, file)
    if whole.is_file() and whole.stat().st_size == file.size:
        return file.size
    return min(part.stat().st_size, file.size) if part.is_file() else 0


def _part_file(folder: Path, file: RemoteFile) -> Path:
    """By its hash: what changed on the hub since then is not gone on with."""
    target = folder / file.name
    return target.with_name(f"{target.name}.{(file.sha256 or file.blob)[:12]}.part")


def _is_right(path: Path, digest: str) -> bool:
    """`digest`: a sha256, or "blob " and git's sha1 of the length and the content."""
    if not path.is_file():
        return False
    kind, _, value = digest.rpartition(" ")
    hashed = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False) if kind else hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            hashed.update(piece)
    return not value or hashed.hexdigest() == value


def _recorded(folder: Path) -> Mapping[str, str]:
    try:
        files = json.loads((folder / RECORD).read_text("utf-8"))["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


def _listed(weights: Sequence[RemoteFile]) -> str:
    names = [f"{file.name} ({file.size / 1e9:.2f} GB)" for file in weights[:12]]
    more = f" and {len(weights) - len(names)} more" if len(weights) > len(names) else ""
    return (", ".join(names) or "there are no weights") + more
