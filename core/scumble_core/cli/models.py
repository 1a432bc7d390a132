"""`scumble models`: what was found on this machine, and where; more folders; and the one command that fetches."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from scumble_core.errors import ScumbleError
from scumble_core.models.detect.found import KINDS
from scumble_core.models.finding import add_folder, added_folders, all_places, remove_folder
from scumble_core.models.index import Entry, ModelIndex
from scumble_core.models.library import models_folder
from scumble_core.models.offers import described, path_of

BROKEN = "broken"
Json = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or path.")]
Folder = Annotated[Path, typer.Argument(help="A folder with models, or another program's own folder.")]


def app() -> typer.Typer:
    """The sub-commands."""
    commands = typer.Typer(no_args_is_help=True, help="See, add, fetch and check the models on this machine.")
    for name, command in (("list", list_models), ("info", info), ("add", add), ("remove", remove), ("pull", pull)):
        commands.command(name)(command)
    commands.command("verify")(verify)
    return commands


def list_models(
    kind: Annotated[
        str | None, typer.Option("--kind", help=f"Only {', '.join(KINDS)}, or {BROKEN}: what can't be used, and why.")
    ] = None,
    as_json: Json = False,
) -> None:
    """All models in our own folder, those that were added, and other programs'."""
    if kind is not None and kind not in (*KINDS, BROKEN):
        raise ScumbleError("bad_request", f"--kind is {kind!r}, but must be one of {', '.join((*KINDS, BROKEN))}.")
    entries = _looked_through()
    shown = [entry for entry in entries if _is_shown(entry, kind)]
    if as_json:
        print(json.dumps([_described(entry) for entry in shown]))
        return
    if kind == BROKEN:
        for entry in shown:
            _say(entry.problem)
    else:
        _print_table(shown)
    broken = sum(entry.found is None for entry in entries)
    if broken and kind != BROKEN:
        _say(f"{broken} files can't be used: `scumble models list --kind {BROKEN}` says why.")


def info(model: Model, as_json: Json = False) -> None:
    """All that is known of one model."""
    folder = models_folder()
    _looked_through()
    path = path_of(model, folder).absolute()
    with ModelIndex.open(folder) as index:
        entry = index.look(path)
    if as_json:
        print(json.dumps(_described(entry)))
        return
    values = _described(entry)
    detail = values.pop("detail", {})
    for name, value in {**values, **detail}.items():
        if value not in ("", None):
            _say(f"{name.replace('_', ' ')}: {value}")


def add(folder: Folder) -> None:
    """Look for models in this folder, too: any folder, or ComfyUI's, A1111's, Forge's, InvokeAI's own."""
    added = add_folder(models_folder(), folder)
    entries = [entry for entry in _looked_through() if Path(entry.path).is_relative_to(added) and entry.found]
    _say(f"Added {added}: {len(entries)} models are there.")


def remove(folder: Folder) -> None:
    """Look there no more. Nothing is deleted."""
    removed = remove_folder(models_folder(), folder)
    _looked_through()
    _say(f"{removed} is looked through no more; its files stay as they are.")


def pull(
    model: Annotated[str, typer.Argument(metavar="ID", help="OWNER/NAME or OWNER/NAME/FILE on the hub, @REVISION.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Fetch a model from the Hugging Face hub. The size is shown first; a pull that was cut goes on."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from scumble_core.models.pull import fetch, look_up

    folder = models_folder()
    wanted = look_up(model, folder)
    _say(f"{wanted.repository} at {wanted.commit[:12]}: {len(wanted.files)} files, {_size(wanted.size)}.")
    left = wanted.bytes_left
    if left != wanted.size:
        _say(f"{_size(wanted.size - left)} are here, {_size(left)} are missing.")
    if left and not yes and not typer.confirm(f"Fetch {_size(left)} into {wanted.folder}?", err=True):
        raise typer.Exit(1)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(wanted.repository, total=wanted.size, completed=wanted.size - left)
        path = fetch(wanted, lambda count: bar.advance(task, count))
    with ModelIndex.open(folder) as index:
        entry = index.look(path)
    if entry.found is None:
        raise ScumbleError("unknown_model", entry.problem)
    _say(f"{path} is {entry.found.kind.replace('_', ' ')}: {described(entry.found) or 'of no known family'}.")


def verify(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="A model's name or path; all by default.")
    ] = None,
) -> None:
    """Read models whole: whether they can be read, are as they were, and as the hub said. Exit code 1 if one isn't."""
    from scumble_core.models.background import content_hash
    from scumble_core.models.pull import RECORD, damaged

    folder, entries = models_folder(), _looked_through()
    if model is not None:
        path = path_of(model, folder).absolute()
        entries = [entry for entry in entries if entry.path == str(path)] or _looked_at(path)
    problems = [entry.problem for entry in entries if entry.found is None]
    with ModelIndex.open(folder) as index:
        for entry in entries:
            if entry.found is None:
                continue
            _say(f"Reading {entry.path} ({_size(entry.size)})")
            digest = content_hash(Path(entry.path))
            if entry.hash and digest != entry.hash:
                problems.append(f"{entry.path} is not what it was, though it looks unchanged: get it again.")
            index.note_hash(entry, digest)
    if model is None:
        for record in sorted(folder.glob(f"pulled/*/{RECORD}")):
            problems += [f"{path} is not what the hub has: pull it again." for path in damaged(record.parent)]
    for problem in problems:
        _say(problem)
    _say(f"{len(entries)} models read, {len(problems)} problems.")
    raise typer.Exit(1 if problems else 0)


def _looked_through() -> list[Entry]:
    """The index, brought up to date; hashes and spandrel's answers come in the background."""
    folder = models_folder()
    with ModelIndex.open(folder) as index:
        index.refresh(all_places(folder))
        return index.entries()


def _looked_at(path: Path) -> list[Entry]:
    with ModelIndex.open(models_folder()) as index:
        return [index.look(path)]


def _is_shown(entry: Entry, kind: str | None) -> bool:
    if entry.found is None:
        return kind == BROKEN
    return entry.found.kind == kind if kind is not None else entry.found.kind != "unknown"


def _print_table(entries: Sequence[Entry]) -> None:
    table = Table("Name", "Kind", "What", "Precision", "Size", "From", box=None, pad_edge=False)
    for entry in sorted(entries, key=_order):
        found = entry.found
        if found is not None:
            kind = found.kind.replace("_", " ")
            table.add_row(found.title, kind, described(found), found.precision, _size(found.bytes), entry.program)
    Console(soft_wrap=True).print(table if entries else "There are none. Folders: `scumble models add FOLDER`.")
    folders = added_folders(models_folder())
    if folders:
        _say(f"Added folders: {', '.join(map(str, folders))}")


def _order(entry: Entry) -> tuple[int, str]:
    assert entry.found is not None
    return KINDS.index(entry.found.kind), entry.found.title.lower()


def _described(entry: Entry) -> dict[str, Any]:
    found = {"path": entry.path} if entry.found is None else entry.found.to_dict()
    return {**found, "program": entry.program, "sha256": entry.hash, "problem": entry.problem}


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _say(text: str) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(text)
