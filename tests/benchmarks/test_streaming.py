"""The streaming benchmark: real jobs with stub models, measured in processes of their own."""

import json
import sys
from pathlib import Path

import pytest
from benchmarks.streaming import MOST_MEMORY, Measured, PeakMemory, main, measure_apart

from benchmarks import streaming
from scumble_core.events import STAGES


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return measure_apart(1024, {"steps": 2}, profile=False, folder=tmp_path_factory.mktemp("streaming"))


def test_a_job_stays_far_within_the_memory_bound(measured: Measured) -> None:
    assert 1_000_000 < measured.peak_above_idle < 0.2 * MOST_MEMORY


def test_seconds_are_split_between_models_and_stages(measured: Measured) -> None:
    assert measured.size == 1024
    assert set(measured.outside_by_stage) <= {"prepare", *STAGES}
    assert {"prepare", "upscale", "tiles", "compose"} <= set(measured.outside_by_stage)
    assert 0 < measured.model_seconds < measured.seconds
    assert sum(measured.outside_by_stage.values()) == pytest.approx(measured.seconds - measured.model_seconds, rel=1e-3)
    assert measured.outside_per_megapixel * measured.megapixels + measured.model_seconds == pytest.approx(
        measured.seconds
    )


def test_disk_holds_at_least_the_source_and_both_results(measured: Measured) -> None:
    assert measured.disk >= 4 * (512 * 512 + 2 * 1024 * 1024)


def test_memory_that_was_held_for_a_moment_shows_in_the_peak() -> None:
    with PeakMemory() as memory:
        held = bytearray(b"1") * 100_000_000
        del held
    assert memory.peak - memory.idle > 90_000_000


@pytest.mark.parametrize(("peak", "status", "said"), [(1_400_000_000, 0, "pass"), (1_600_000_000, 1, "FAIL")])
def test_the_verdict_is_the_exit_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    peak: int,
    status: int,
    said: str,
) -> None:
    """Rows that were measured at other times stand in for hours of jobs."""

    def row(size: int, fields: object, profile: bool, folder: Path | None) -> Measured:
        return Measured(size, 10**8, peak if size == 4000 else 10**8, 10**9, size / 100, 1.0, 9.0, 0.5, {"tiles": 8.0})

    monkeypatch.setattr(streaming, "measure_apart", row)
    file = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["streaming", "--sizes", "4000", "2000", "--json", str(file)])
    assert main() == status
    assert said in capsys.readouterr().out
    figures = json.loads(file.read_text("utf-8"))
    assert [size["size"] for size in figures["sizes"]] == [2000, 4000]
    assert figures["ratio"] == pytest.approx((39 / 16) / (19 / 4))
    assert figures["within_memory"] is (status == 0)
