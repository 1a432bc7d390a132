"""The tour, from no core to two layers, with every scene there is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.krita.session import missing_programs
from tools.tour.scenes import SCENES

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.all, pytest.mark.krita]


def test_a_new_user_comes_to_two_layers_in_a_few_clicks(tmp_path):
    if missing_programs():
        assert not os.environ.get("SCUMBLE_REQUIRE_KRITA"), missing_programs()
        pytest.skip(f"missing: {', '.join(missing_programs())}")
    with Image.open(ROOT / "docs/sample.png") as sample:
        sample.convert("RGB").resize((512, 384)).save(tmp_path / "small.png")  # two tiles
    command = [
        sys.executable,
        "-m",
        "tools.tour",
        "--out",
        str(tmp_path / "out"),
        "--picture",
        str(tmp_path / "small.png"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {f"{scene.name}.png" for scene in SCENES}
    took = json.loads((tmp_path / "out/tour.json").read_text())["from no core to two layers"]
    assert (took["clicks"], took["lines"]) == (3, 1)
