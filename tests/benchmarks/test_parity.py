"""The parity benchmark: Scumble equals the recorded reference, and the benchmark would notice if it didn't."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from benchmarks.parity.__main__ import compare, main
from benchmarks.parity.recorded import KNOWN_FILES

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
QUICK = ("sigmas.npz", "rules.json", "complexity.npz", "split_image.json")


def _copy(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        shutil.copy(GOLDEN / name, folder / name)
    return folder


def _change(path: Path, **changes) -> None:
    """Add or replace keys of an .npz file."""
    with np.load(path) as file:
        values = {key: file[key] for key in file.files}
    np.savez(path, **(values | changes))


def _spoil(path: Path, key: str) -> None:
    """Move one number of one key by a little, or a whole number by one."""
    with np.load(path) as file:
        spoilt = np.array(file[key])
    flat = spoilt.reshape(-1)
    flat[len(flat) // 2] += 1 if spoilt.dtype.kind in "iu" else 2e-3 * max(1, np.abs(spoilt).max())
    _change(path, **{key: spoilt})


def test_all_that_was_recorded_comes_out_again() -> None:
    results = compare(GOLDEN)
    assert [result for result in results if result.status not in ("ok", "input")] == []
    assert {result.file for result in results if result.status == "ok"} == set(KNOWN_FILES)
    # Sampled numbers are exact where the golden folder's own README asks for it.
    exact = ("/t", "/noise", "/noise_sigma_pairs", "/tree", "/unet_calls")
    assert all(result.error == 0 for result in results if result.key.endswith(exact))


def test_a_single_changed_number_fails_in_every_file(tmp_path: Path) -> None:
    folder = _copy(tmp_path, KNOWN_FILES)
    spoilt = {
        "sigmas.npz": "exponential_20", "inputs.npz": "noise_seed0", "sampling_toy.npz": "tile15/out",
        "sampling_tiny.npz": "phase2/t", "nets_tiny.npz": "base/eps", "stitch_images.npz": "grid2x2/out",
        "complexity.npz": "gauss/complexity", "image_scale_maps.npz": "512x512_x4_by5.0/cols",
    }  # fmt: skip
    for name, key in spoilt.items():
        _spoil(folder / name, key)
    for name, key, old, new in (
        ("weights.json", "refiner/sha256", "b3467d79", "b3467d78"),
        ("rules.json", "upscaled_size", "[640, 1.5, 960]", "[640, 1.5, 968]"),
        ("split_image.json", "2048x2048/1024", "[512, 0, 1536, 1024]", "[513, 0, 1536, 1024]"),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
        spoilt[name] = key
    failed = {result.file: result.key for result in compare(folder) if result.status == "FAIL"}
    assert failed == spoilt


def test_keys_beyond_those_given_are_compared_or_said_not_to_be(tmp_path: Path) -> None:
    folder = _copy(tmp_path, QUICK)
    with np.load(folder / "sigmas.npz") as file:
        wrong, highest = file["exponential_5"], file["sigmas_table"][-1]
    right = {"simple_1": np.array([highest, 0], np.float32), "timestep_simple_1": np.array([999])}
    _change(folder / "sigmas.npz", exponential_3=wrong, karras_4=wrong, mystery=wrong, **right)
    (folder / "more.npz").write_bytes(b"")
    found = {(result.file, result.key): result.status for result in compare(folder)}
    assert found["sigmas.npz", "exponential_3"] == found["sigmas.npz", "karras_4"] == "FAIL"
    assert found["sigmas.npz", "simple_1"] == found["sigmas.npz", "timestep_simple_1"] == "ok"
    assert found["sigmas.npz", "mystery"] == found["more.npz", "*"] == "not compared"


def test_other_runs_and_sizes_are_computed_from_their_own_inputs(tmp_path: Path) -> None:
    folder = _copy(tmp_path, ("inputs.npz",))
    _change(folder / "inputs.npz", lat_tile=np.zeros((1, 4, 16, 16), np.float32))
    out = np.zeros((1, 4, 16, 16), np.float32)
    np.savez(folder / "sampling_toy.npz", **{"tile20/out": out, "tile18/t": [3, 0], "other/out": out})
    found = {result.key: result.status for result in compare(folder) if result.file == "sampling_toy.npz"}
    assert found == {"tile20/out": "ok", "tile18/t": "FAIL", "other/out": "not compared"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short"])
def test_missing_and_broken_files_are_reported_and_the_rest_goes_on(tmp_path: Path, content: bytes) -> None:
    folder = _copy(tmp_path, ("sigmas.npz", "rules.json"))
    (folder / "complexity.npz").write_bytes(content)
    (folder / "split_image.json").write_text("{")
    (folder / "weights.json").write_text('{"base": {"sha256": "0"}}')
    found = {(result.file, result.key): result.status for result in compare(folder)}
    assert found["stitch_images.npz", "*"] == found["sampling_tiny.npz", "*"] == "missing"
    assert found["complexity.npz", "*"] == found["split_image.json", "*"] == "FAIL"
    assert found["sigmas.npz", "exponential_30"] == found["rules.json", "upscaled_size"] == "ok"
    assert found["weights.json", "base/sha256"] == "FAIL"


def test_the_command_prints_or_writes_and_its_exit_code_tells(tmp_path: Path, capsys) -> None:
    folder = _copy(tmp_path, QUICK)
    assert main([str(folder)]) == 0
    table = capsys.readouterr().out
    assert "exponential_32" in table and "FAIL" not in table
    assert main([str(folder), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["ok"] and {"file", "key", "error", "tolerance", "status", "note"} == written["results"][0].keys()
    _spoil(folder / "sigmas.npz", "sigmas_table")
    report = tmp_path / "report.json"
    assert main([str(folder), "--json", str(report)]) == 1
    assert "FAIL" in capsys.readouterr().out
    assert not json.loads(report.read_text())["ok"]


def test_a_folder_with_nothing_to_compare_is_no_success(tmp_path: Path, capsys) -> None:
    assert main([str(tmp_path)]) == 1
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "There is no folder" in capsys.readouterr().err
