"""The speed benchmark: real jobs in processes of their own, and what it says of what it can't reach."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.speed import __main__ as command
from benchmarks.speed import report
from benchmarks.speed.jobs import Case, Run, requests, run_apart
from benchmarks.speed.models import Cost
from benchmarks.speed.peers import krita_ai, ultimate

from scumble_core.cli.measuring import PREPARE
from scumble_core.events import STAGES
from scumble_core.mikey.plan import plan_reference
from scumble_core.picture.geometry import Extent
from scumble_core.plan.job import plan_job

CASE = Case("stub", (768, 768), Cost(0.0, 0.0), tile=512)


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {way: run_apart(CASE, way) for way in ("scumble", "mikey")}


@pytest.mark.parametrize(
    ("output", "padded", "overlapped"),
    [((2048, 2048), 4.46, 4.53), ((2560, 1440), 6.69, 3.80), ((3840, 2160), 13.38, 9.18), ((4096, 4096), 17.84, 18.94),
     ((3000, 4500), 16.73, 15.11), ((7680, 4320), 44.61, 37.78)],
)  # fmt: skip
def test_peers_plan_the_megapixels_that_were_worked_out_from_their_published_rules(output, padded, overlapped):
    assert ultimate(Extent(*output)).megapixels == pytest.approx(padded, abs=0.01)
    assert krita_ai(Extent(*output)).megapixels == pytest.approx(overlapped, abs=0.01)


@pytest.mark.parametrize("kind", ["starter", "stub"])
def test_both_ways_start_their_tiles_at_the_same_sigma(tmp_path, kind):
    own, reference, sigma = requests(replace(CASE, kind=kind), tmp_path)
    ours, theirs = plan_job(own, Extent(384, 384)), plan_reference(reference, Extent(384, 384))
    assert ours.tile_pass.walk.sigmas[0] == pytest.approx(sigma, rel=1e-6)
    assert theirs.tile.steps == 20
    assert theirs.tile.cfg == 7
    assert not theirs.phases
    # The reference's exponential schedule is even in log between the table's ends.
    highest, lowest = ours.facts.levels[-1], ours.facts.levels[0]
    assert sigma == pytest.approx(highest * (lowest / highest) ** (theirs.tile.first / 19), rel=1e-4)


def test_calls_and_megapixels_are_counted_where_they_happen_and_are_those_of_the_plan(runs, tmp_path):
    own, reference, _ = requests(CASE, tmp_path)
    ours, theirs = plan_job(own, Extent(384, 384)), plan_reference(reference, Extent(384, 384))
    assert runs["scumble"].measured.calls == ours.model_calls
    assert runs["scumble"].measured.tiles == len(ours.tile_pass.boxes)
    assert runs["mikey"].measured.calls == theirs.model_calls
    for run, plan in ((runs["scumble"], ours), (runs["mikey"], theirs)):
        tile = plan.megapixels / run.measured.tiles
        assert run.measured.worked == pytest.approx(run.measured.calls * tile)
    assert runs["mikey"].measured.worked > 3 * runs["scumble"].measured.worked


def test_seconds_are_split_between_models_and_stages(runs):
    for run in runs.values():
        found = run.measured
        assert {PREPARE, "upscale", "tiles", "compose"} <= set(found.outside) <= {PREPARE, *STAGES}
        assert sum(found.outside.values()) == pytest.approx(found.outside_seconds, rel=1e-2)
        assert 0 < found.model_seconds < found.seconds
        assert 0 < found.first_tile < found.seconds
        assert run.peak > 1_000_000


def test_a_spot_that_was_painted_over_costs_the_tiles_that_see_it(runs):
    first, again = runs["scumble"].measured, runs["scumble"].again
    assert first.tasks["tiles"] == {"done": first.tiles, "found": 0}
    assert again.tasks["tiles"] == {"done": 1, "found": first.tiles - 1}
    assert again.calls == first.calls / first.tiles


def test_a_stub_takes_the_seconds_that_it_was_given_for_calls_and_megapixels():
    run = run_apart(replace(CASE, cost=Cost(0.01, 0.1)), "scumble").measured
    network = 0.01 * run.calls + 0.1 * run.worked
    assert run.model_seconds > network


def test_what_cannot_be_reached_is_said_and_the_rest_goes_on(capsys, tmp_path):
    asked = ["--models", "stub", "sdxl", "gpt", "--sizes", "256x256", "0x7", "big", "--peer", "ultimate", "nobody"]
    assert command.main([*asked, "--no-first", "--call-cost", "0", "--megapixel-cost", "0"]) == 1
    printed = capsys.readouterr().out
    for said in ("gpt", "SDXL can't be reached", "0x7", "big", "nobody"):
        assert said in printed
    assert "| stub | 256 x 256 | scumble |" in printed
    assert "| mikey |" not in printed


def test_a_job_that_fails_leaves_a_line_and_no_figures(capsys, tmp_path):
    folder = tmp_path / "sdxl"
    folder.mkdir()
    (folder / "model_index.json").write_text("{}", "utf-8")
    asked = ["--models", "sdxl", "--sdxl", str(folder), "--crop", "256", "--peer", "--no-first", "--json"]
    assert command.main(asked) == 1
    figures = json.loads(capsys.readouterr().out)
    assert figures["jobs"] == []
    assert "failed" in figures["not_measured"][0]


def test_tables_go_between_the_marks_of_a_page_and_leave_the_rest(tmp_path: Path, runs):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", "utf-8")
    made = report.tables({CASE: [runs["scumble"], runs["mikey"]]}, ["ultimate"], None)
    report.put_into(page, made)
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    ratio = runs["mikey"].measured.worked / runs["scumble"].measured.worked
    assert f" {ratio:.2f} |" in text
    page.write_text("no marks", "utf-8")
    with pytest.raises(ValueError, match="no place for tables"):
        report.put_into(page, made)
