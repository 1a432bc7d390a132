"""The Hugging Face cache, which diffusers and many other programs share.

Facts: huggingface_hub's guide "Understand caching": `models--OWNER--NAME/` with `refs/`, `blobs/` and, for each commit,
`snapshots/COMMIT/` full of links to the blobs.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from scumble_core.models.finding.places import Place


def hub_cache(environment: Mapping[str, str], home: Path) -> Path:
    """Where it is."""
    if environment.get("HF_HUB_CACHE"):
        return Path(environment["HF_HUB_CACHE"]).expanduser()
    if environment.get("HF_HOME"):
        return Path(environment["HF_HOME"]).expanduser() / "hub"
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "huggingface" / "hub"


def is_hub_cache(folder: Path) -> bool:
    return any(folder.glob("models--*/snapshots"))


def hub_places(cache: Path) -> Iterator[Place]:
    """For each model the commit that its main branch was at when last asked, else the newest there is."""
    try:
        repositories = sorted(cache.glob("models--*"))
    except OSError:
        return
    for repository in repositories:
        snapshot = _snapshot(repository)
        if snapshot is not None:
            yield Place(snapshot, "hub")


def _snapshot(repository: Path) -> Path | None:
    try:
        commit = (repository / "refs" / "main").read_text("ascii").strip()
        if commit.isalnum() and (repository / "snapshots" / commit).is_dir():
            return repository / "snapshots" / commit
    except (OSError, UnicodeError):
        pass
    try:
        there = [folder for folder in (repository / "snapshots").iterdir() if folder.is_dir()]
        return max(there, key=os.path.getmtime, default=None)
    except OSError:
        return None
