"""`scumble jobs`: what lies in the journal, with or without a running core."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from scumble_bridge.places import data_folder, runtime_folder
from scumble_core.errors import ScumbleError
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.states import ACTIVE, RESUMABLE

Id = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or how it begins.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]
KeepGb = Annotated[float, typer.Option(help="What all jobs' folders may take together.")]
KeepDays = Annotated[float, typer.Option(help="How long a job is kept that nobody asks for.")]


def app() -> typer.Typer:
    """The sub-commands."""
    commands = typer.Typer(no_args_is_help=True, help="See, resume, export and remove the jobs that the core keeps.")
    for name, command in (("list", list_jobs), ("show", show), ("resume", resume), ("export", export), ("gc", gc)):
        commands.command(name)(command)
    commands.command("remove")(remove)
    return commands


def list_jobs(as_json: Json = False) -> None:
    """All jobs, in the order in which they came."""
    entries = _entries()
    if as_json:
        print(json.dumps([_described(entry) for entry in entries]))
        return
    table = Table("Job", "State", "Tiles", "Source", "Age", "Owner", box=None, pad_edge=False)
    for entry in entries:
        source = f"{entry.source.width} x {entry.source.height}"
        table.add_row(entry.id, entry.state, str(_tiles(entry)), source, _age(entry.created), entry.owner)
    Console(soft_wrap=True).print(table if entries else "There are no jobs.")


def show(job: Id, as_json: Json = False) -> None:
    """All that is known of one job."""
    entry = _entry(job)
    values, stages = _described(entry), _fared(entry)
    if as_json:
        print(json.dumps({**values, "tasks": stages}))
        return
    for name, value in values.items():
        _say(f"{name}: {value}")
    for stage, told in stages.items():
        median = "" if told["median_seconds"] is None else f", {told['median_seconds']:g} s each (the median)"
        _say(f"{stage}: {told['done']} done, {told['kept']} kept, {told['taken_over']} taken over{median}")


def resume(job: Id) -> None:
    """Let a paused, failed or cancelled job go on from its finished tiles."""
    from scumble_core.jobs.desk import open_desk

    entry = _entry(job)
    if entry.state not in RESUMABLE:
        raise ScumbleError("bad_request", f"Job {entry.id} is {entry.state}: there is nothing to resume.")
    with open_desk(data_folder(), runtime_folder()) as desk:
        desk.resume(entry)
        when = "its turn comes" if desk.has_core else "a core runs: start Krita or `scumble serve`"
    _say(f"Job {entry.id} has {_tiles(entry)} finished tiles, and goes on when {when}.")


def export(
    job: Id,
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.ora holds both layers; .png and .tif one.")],
) -> None:
    """Write the results of a finished job to a file."""
    from scumble_core.files.write import Layer, check_output, is_opaque, write_layers
    from scumble_core.picture.storage import Picture

    entry = _entry(job)
    if entry.state != "finished" or entry.result is None:
        raise ScumbleError("bad_request", f"Job {entry.id} is {entry.state}: only finished jobs have results.")
    check_output(output)
    folder = _folder(entry)
    upscaled, refined = (Picture.open(folder / f"{name}.npy") for name in ("upscaled", "refined"))
    scale, strength = float(entry.request["scale"]), float(entry.request["strength"])
    layers = (
        Layer(f"Upscaled {scale:g}x", upscaled, visible=is_opaque(upscaled)),
        Layer(f"Refined {scale:g}x, strength {strength:g}", refined),
    )
    profile = folder / "profile.icc"
    write_layers(output, layers, entry.result["summary"], profile.read_bytes() if profile.exists() else None)
    _say(f"Wrote {output.resolve()}.")


def remove(job: Id) -> None:
    """Forget a job, with its tiles and results. One that runs or waits must be cancelled or paused first."""
    from scumble_core.jobs.desk import open_desk

    with open_desk(data_folder(), runtime_folder()) as desk:
        entry = _entry(job)
        if entry.state in ACTIVE and desk.has_core:
            raise ScumbleError("bad_request", f"Job {entry.id} is {entry.state}: cancel or pause it first.")
        desk.remove(entry)
    _say(f"Job {entry.id} is removed.")


def gc(
    keep_gb: KeepGb = 20.0,
    keep_days: KeepDays = 7.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Drop jobs that are too old or too much, the least recently used first; never one that runs or waits."""
    from scumble_core.jobs.desk import open_desk
    from scumble_core.jobs.eviction import DAY, GIGABYTE, Limits, to_evict
    from scumble_core.jobs.register import measure

    limits = Limits(round(keep_gb * GIGABYTE), keep_days * DAY, grace=0.0)
    with open_desk(data_folder(), runtime_folder()) as desk:
        entries = {entry.id: entry for entry in _entries()}
        dropped = [each for each in to_evict(measure(_jobs(), entries), limits, time.time()) if each.id in entries]
        for each in dropped:
            if not dry_run:
                desk.remove(entries[each.id])
            results = ", with results that nobody has fetched" if each.unfetched else ""
            _say(f"{'Would drop' if dry_run else 'Dropped'} job {each.id}: {each.size / 1e6:.1f} MB{results}.")
    if not dropped:
        _say("There is nothing to drop.")


def _jobs() -> Path:
    return data_folder() / "jobs"


def _folder(entry: Entry) -> Path:
    return _jobs() / entry.id


def _entries() -> list[Entry]:
    from scumble_core.jobs.journal import read_entries
    from scumble_core.jobs.register import JOURNAL

    return read_entries(data_folder() / JOURNAL)


def _entry(job: str) -> Entry:
    found = [entry for entry in _entries() if entry.id.startswith(job)]
    if len(found) != 1:
        problem = f"{len(found)} jobs begin with {job}: give more of the id" if found else f"There is no job {job}"
        raise ScumbleError("bad_request", f"{problem}; `scumble jobs list` names them all.")
    return found[0]


def _tiles(entry: Entry) -> int:
    from scumble_core.jobs.recovery import finished_tiles

    return finished_tiles(_folder(entry))


def _described(entry: Entry) -> dict[str, Any]:
    return {**entry.to_dict(), "folder": str(_folder(entry)), "tiles": _tiles(entry)}


def _fared(entry: Entry) -> dict[str, dict[str, Any]]:
    from scumble_core.jobs.journal import read_tasks
    from scumble_core.jobs.register import JOURNAL
    from scumble_core.jobs.tasks import fared

    return fared(read_tasks(data_folder() / JOURNAL, entry.id))


def _age(since: float) -> str:
    seconds = max(0.0, time.time() - since)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _say(text: str) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(text)
