"""What a job would do and take, before it is sent."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.models.detect.layouts import LDM_VAE, checkpoint, kohya, ldm_unet, write

from scumble_bridge.codec import encode
from scumble_bridge.fields import PictureHeader
from scumble_bridge.messages import Estimate, Estimated
from scumble_core.errors import ScumbleError
from scumble_core.jobs.estimates import MOST_TILES, Machine, _grid, estimated, weights_of
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.job import plan_job
from scumble_core.presets import PRESETS
from scumble_core.request import RefineRequest
from scumble_core.sampling.names import SCHEDULE_NAMES

SOURCE = PictureHeader(1000, 800, "u8", "bgra")
ASKED = Estimate(7, {"scale": 2.0}, SOURCE)
ANYWHERE = Machine()


def test_the_plan_is_the_one_that_the_job_will_have_with_its_tiles_in_output_pixels() -> None:
    shown = estimated(ASKED, ANYWHERE)
    plan = plan_job(RefineRequest.from_dict(ASKED.request), Extent(1000, 800))
    assert plan.tile_pass is not None
    assert {name: shown[name] for name in plan.to_dict()} == {**plan.to_dict()}
    grid = shown["grid"]
    boxes = [Bounds(x, y, *grid["tile"]) for y in grid["rows"] for x in grid["columns"]]
    assert boxes == list(plan.tile_pass.boxes) and shown["tiles"] == len(boxes)
    assert grid["extent"] == [2000, 1600]


@given(st.integers(-300, 1200), st.integers(-300, 1000), st.integers(1, 1500), st.integers(1, 1500))
def test_of_a_selection_only_the_tiles_that_touch_it_are_shown(x: int, y: int, width: int, height: int) -> None:
    whole = estimated(ASKED, ANYWHERE)
    inside = Bounds(x, y, width, height).intersect(Bounds(0, 0, 1000, 800))
    asked = replace(ASKED, selection=(x, y, width, height))
    if inside.is_empty:
        with pytest.raises(ScumbleError, match="No pixels are selected"):
            estimated(asked, ANYWHERE)
        return
    part = estimated(asked, ANYWHERE)
    grid = part["grid"]
    assert set(grid["columns"]) <= set(whole["grid"]["columns"]) and set(grid["rows"]) <= set(whole["grid"]["rows"])
    assert 0 < part["tiles"] <= whole["tiles"] and part["seconds_estimate"] <= whole["seconds_estimate"]
    covered = Bounds.between(
        grid["columns"][0], grid["rows"][0],
        grid["columns"][-1] + grid["tile"][0], grid["rows"][-1] + grid["tile"][1],
    )  # fmt: skip
    assert covered.contains(inside.scaled(2.0))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_tiles_memory_and_seconds(preset: str) -> None:
    shown = estimated(replace(ASKED, request={"preset": preset, "scale": 2.0}), ANYWHERE)
    assert shown["tiles"] == len(shown["grid"]["columns"]) * len(shown["grid"]["rows"]) > 0
    assert shown["memory_bytes"] == shown["memory"]["working"] + shown["memory"]["weights"]
    assert shown["memory"]["working"] > 10**7 and shown["memory"]["weights"] > 10**6
    assert shown["seconds_estimate"] > 0 and shown["disk_bytes"] > 0 and shown["measured"] is False


def test_without_strength_there_are_no_tiles() -> None:
    shown = estimated(replace(ASKED, request={"strength": 0.0}), ANYWHERE)
    assert shown["tiles"] == 0 and shown["grid"]["columns"] == []


def test_less_memory_means_smaller_tiles_and_less_working_memory() -> None:
    large, small = estimated(ASKED, ANYWHERE), estimated(ASKED, Machine(memory=300_000_000))
    assert small["tiles"] > large["tiles"]
    assert small["memory"]["working"] < 150_000_001 < large["memory"]["working"]


def test_a_measured_pace_scales_the_seconds_and_says_so() -> None:
    plain, measured = estimated(ASKED, ANYWHERE), estimated(ASKED, Machine(pace=0.25))
    assert measured["seconds_estimate"] == pytest.approx(plain["seconds_estimate"] / 4, abs=0.1)
    assert measured["measured"] is True


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (replace(ASKED, request={"scale": 99.0}), "bad_request", "scale is 99.0"),
        (replace(ASKED, source=PictureHeader(0, 5, "u8", "rgba")), "bad_picture", "send pixels"),
        (replace(ASKED, source=PictureHeader(9, 5, "u8", "mask")), "bad_picture", "send pixels"),
        (replace(ASKED, source=PictureHeader(20_000, 5, "u8", "rgba")), "bad_picture", "at most 32768"),
        (replace(ASKED, request={"base": "nowhere"}), "unknown_model", "no model named 'nowhere'"),
        (replace(ASKED, request={"upscaler": "nowhere"}), "unknown_model", "no model named 'nowhere'"),
        (replace(ASKED, request={"base": "~nobody/x\0"}), "unknown_model", "no model"),
        (replace(ASKED, selection=(0, 0, -5, 5)), "bad_picture", "No pixels are selected"),
        (
            replace(ASKED, request={"tile_size": 128, "scale": 10.0}, source=PictureHeader(3000, 3000, "u8", "rgba")),
            "bad_picture", f"more than {MOST_TILES:,} tiles",
        ),
        (replace(ASKED, source=PictureHeader(2**31 - 1, 2**31 - 1, "f32", "rgba")), "bad_picture", "tiles"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_job_is_refused_with_a_sentence(asked: Estimate, code: str, words: str) -> None:
    with pytest.raises(ScumbleError) as caught:
        estimated(asked, ANYWHERE)
    assert caught.value.code == code and words in caught.value.message and caught.value.message.endswith(".")


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(PRESETS)), st.floats(0.1, 10.0), st.integers(8, 3000), st.integers(8, 3000),
    st.sampled_from((0.0, 0.2, 1.0)), st.sampled_from((0, 256, 1024)),
)  # fmt: skip
def test_every_answer_fits_into_a_message(
    preset: str, scale: float, width: int, height: int, strength: float, tile: int
) -> None:
    request: dict[str, object] = {"preset": preset, "scale": scale, "strength": strength, "prompt": "p" * 9000}
    if PRESETS[preset].inputs is None:
        request["tile_size"] = tile
    try:
        shown = estimated(Estimate(1, request, PictureHeader(width, height, "f16", "rgba")), ANYWHERE)
    except ScumbleError:
        return
    assert len(b"".join(map(bytes, encode(Estimated(1, shown))))) < 60_000
    assert shown["memory_bytes"] >= 0 and shown["tiles"] >= 0


def test_tiles_that_are_no_grid_are_listed_but_not_without_end() -> None:
    boxes = tuple(Bounds(each * 7, each * 5, 10, 10) for each in range(2000))
    found = _grid(Extent(9, 9), boxes)
    assert found["tiles"] == 2000 and len(found["boxes"]) == 1000 and found["boxes"][1] == [7, 5, 10, 10]


def test_weights_are_the_sizes_of_the_models_each_once_with_what_others_lend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    assert weights_of(str(tmp_path), "none", "") == 0  # no model: nobody looks what lies there
    starters = weights_of("starter", "starter-x2", "starter")
    whole, unet = checkpoint("sd15"), ldm_unet(768)
    base = write(tmp_path / "data/models/base.safetensors", whole)
    alone = write(tmp_path / "data/models/unet.safetensors", unet)
    size, network = base.stat().st_size, 2 * sum(math.prod(shape) for shape in unet.values())
    assert weights_of(str(base), str(base), "starter", "starter-x2") == size + starters
    assert weights_of(str(alone)) == alone.stat().st_size + size - network


def test_what_goes_beside_a_base_counts_in_memory_and_a_controlnet_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    models = tmp_path / "data/models"
    request = {"base": str(write(models / "base.safetensors", checkpoint("sd15"))), "strength": 0.5}
    hint = {"input_hint_block.0.weight": (16, 3, 3, 3), "zero_convs.0.0.weight": (320, 320, 1, 1)}
    control = write(models / "control.safetensors", {**hint, "x.attn2.to_k.weight": (640, 768)})
    lora = write(models / "lora.safetensors", kohya({"lora_unet_mid_block_attentions_0_attn2_to_k": (768, 1280)}))
    vae = write(models / "vae.safetensors", LDM_VAE)
    plain = estimated(replace(ASKED, request=request), ANYWHERE)
    added = {"loras": [{"id": str(lora), "weight": 1.0}], "vae": str(vae)}
    shown = estimated(replace(ASKED, request={**request, **added}), ANYWHERE)
    more = lora.stat().st_size + vae.stat().st_size
    assert shown["memory"]["weights"] == plain["memory"]["weights"] + more
    assert shown["memory_plan"]["weights"] > plain["memory_plan"]["weights"]
    assert shown["seconds_estimate"] == plain["seconds_estimate"]
    steered = [
        estimated(replace(ASKED, request={**request, "controlnet": str(control), "controlnet_end": end}), ANYWHERE)
        for end in (1.0, 0.5)
    ]
    assert [each["memory"]["weights"] for each in steered] == 2 * [plain["memory"]["weights"] + control.stat().st_size]
    times = [each["seconds_estimate"] for each in (*steered, plain)]
    assert times[0] > times[1] > times[2] > times[0] / 1.4


def test_models_that_the_computer_can_not_hold_now_are_refused_unless_they_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    big = {**checkpoint("sdxl"), "model.diffusion_model.x": (1 << 41,)}  # sparse, of more than any computer holds
    base = str(write(tmp_path / "data/models/base.safetensors", big))
    asked, machine = replace(ASKED, request={"base": base}), Machine(memory=1 << 46)
    with pytest.raises(ScumbleError, match=r"^The models take .* free: close other programs, or .*\.$") as caught:
        estimated(asked, machine)
    assert caught.value.code == "out_of_memory"
    assert estimated(asked, replace(machine, loaded=(base,)))["memory_plan"]["weights"] > 1 << 42


@pytest.mark.parametrize("schedule", SCHEDULE_NAMES)
def test_a_named_schedule_changes_neither_tiles_nor_steps(schedule: str) -> None:
    plain = estimated(ASKED, ANYWHERE)
    named = estimated(replace(ASKED, request={"scale": 2.0, "schedule": schedule}), ANYWHERE)
    assert named["grid"] == plain["grid"] and named["stages"]["tiles"]["steps"] == plain["stages"]["tiles"]["steps"]


SPY = """
import json, sys
opened = []
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
from scumble_bridge.fields import PictureHeader
from scumble_bridge.messages import Estimate, Submit
from scumble_core.errors import ScumbleError
from scumble_core.jobs.admission import admitted
from scumble_core.jobs.estimates import Machine, estimated
from scumble_core.request import RefineRequest
secret, source = sys.argv[1], PictureHeader(64, 64, "u8", "rgba")
said = []
texts = [name for name, value in RefineRequest().to_dict().items() if isinstance(value, str)]
requests = [{name: secret} for name in texts] + [{"regions": [{"prompt": secret}]}, {"schedule": "karras"}]
for request in requests:
    for ask in (
        lambda: estimated(Estimate(1, request, source), Machine()),
        lambda: admitted(Submit("0" * 32, request, source, title=secret, client=secret)),
    ):
        try:
            ask()
        except ScumbleError as error:
            said.append(error.message)
print(json.dumps([[path for path in opened if secret in path], "torch" in sys.modules, said]))
"""


@pytest.mark.parametrize("is_folder", [False, True])
def test_no_text_of_a_request_makes_the_front_door_open_a_file_nor_load_torch(tmp_path: Path, is_folder: bool) -> None:
    secret = tmp_path / "secret"
    if is_folder:
        secret.mkdir()
        os.mkfifo(secret / "model_index.json")  # whoever reads this waits for ever
    else:
        secret.write_text("mine")
    command = [sys.executable, "-c", SPY, str(secret)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    opened, has_torch, sentences = json.loads(said.stdout)
    assert not has_torch and len(sentences) > 5
    assert opened == []
