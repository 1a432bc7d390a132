"""Jobs with the artists' own upscalers and restorers, and jobs for which memory is too small."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.core.jobs_on_disk import job, photo, run
from tests.core.models.tiny_upscalers import save_upscaler
from tests.core.models.watched import Watched

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.events import StageStarted, TaskFinished
from scumble_core.models.cache import ModelCache
from scumble_core.models.device import Device
from scumble_core.models.memory.learnt import NAME, Learnt, Lessons

OUT = torch.OutOfMemoryError("out of memory")


@pytest.fixture(scope="module")
def models():
    return ModelCache()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    names = ("compact-x1", "compact-x2", "compact-x4", "esrgan-x1", "esrgan-x2", "swinir-x2", "span-x2", "dat-x2")
    return {name: str(save_upscaler(name, folder / f"{name}.pth")) for name in names}


@pytest.mark.parametrize("upscaler", ["esrgan-x2", "span-x2", "swinir-x2", "dat-x2", "compact-x4"])
def test_any_upscaler_brings_a_picture_to_its_exact_size(tmp_path, models, files, upscaler):
    result, upscaled, refined = run(job(tmp_path / "job", photo(90, 61)), models, upscaler=files[upscaler], scale=1.7)
    assert upscaled.shape[:2] == refined.shape[:2] == (104, 153)
    assert result.summary["stages"]["upscale"]["factor"] == int(upscaler[-1])


def test_a_restorer_goes_first_and_a_chain_enlarges_step_by_step(tmp_path, models, files):
    chain, events = f"{files['compact-x2']}+{files['compact-x4']}", []
    wanted = {"upscaler": chain, "restore": files["esrgan-x1"], "scale": 8, "strength": 0}
    result, upscaled, _ = run(job(tmp_path / "job", photo(70, 50)), models, events.append, **wanted)
    assert upscaled.shape[:2] == (400, 560)
    stages = [event.stage for event in events if isinstance(event, StageStarted)]
    assert stages == ["restore", "upscale", "compose"]
    assert {event.stage for event in events if isinstance(event, TaskFinished)} == {"restore", "upscale"}
    assert result.summary["models"]["restore"] == files["esrgan-x1"]
    assert [step["factor"] for step in result.summary["stages"]["upscale"]["chain"]] == [2, 4]
    plain = run(job(tmp_path / "plain", photo(70, 50)), models, **{**wanted, "restore": "none"})[1]
    assert (plain != upscaled).any()


def test_steps_that_were_done_before_are_taken_over_when_a_chain_grows(tmp_path, models, files):
    folder, pixels = tmp_path / "job", photo(70, 50)
    short, long = Watched(models), Watched(models)
    run(job(folder, pixels), short, upscaler=files["compact-x2"], scale=2, strength=0)
    run(folder, long, upscaler=f"{files['compact-x2']}+{files['compact-x2']}", scale=4, strength=0)
    fresh = Watched(models)
    run(job(tmp_path / "fresh", pixels), fresh, upscaler=f"{files['compact-x2']}+{files['compact-x2']}", scale=4,
        strength=0)  # fmt: skip
    assert long.enlarged == fresh.enlarged - short.enlarged > 0


@pytest.mark.parametrize("first_pass", [False, True])
def test_a_selection_gets_the_very_pixels_of_a_full_run_through_restorer_and_chain(tmp_path, models, files, first_pass):
    pixels, selection = photo(900, 120), np.zeros((120, 900, 1), np.uint8)
    selection[40:70, 20:60] = 255
    wanted = {
        "upscaler": f"{files['compact-x2']}+{files['compact-x2']}", "restore": files["compact-x1"], "scale": 2,
        "first_pass": first_pass, "soft_edge": 0,
    }  # fmt: skip
    whole, part = Watched(models), Watched(models)
    _, whole_upscaled, whole_refined = run(job(tmp_path / "whole", pixels), whole, **wanted)
    result, upscaled, refined = run(job(tmp_path / "part", pixels, selection=selection), part, **wanted)
    rows, columns = slice(result.y, result.y + result.height), slice(result.x, result.x + result.width)
    assert (upscaled[..., :3] == whole_upscaled[rows, columns, :3]).all()
    assert (refined[..., :3] == whole_refined[rows, columns, :3]).all()
    assert part.enlarged < whole.enlarged


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"upscaler": "{compact-x1}"}, "enlarges nothing: choose it under restore"),
        ({"restore": "{compact-x2}"}, "enlarges 2 times, so it can't restore"),
        ({"restore": "starter-x2"}, "enlarges 2 times, so it can't restore"),
        ({"upscaler": "{compact-x2}+/nowhere/x4.pth"}, "/nowhere/x4.pth"),
        ({"restore": "/nowhere/x1.pth"}, "/nowhere/x1.pth"),
        ({"restore": "{broken}"}, "broken.pth"),
        ({"upscaler": "{grey}"}, "makes 1 channels of 3"),
    ],
)
def test_a_wrong_network_is_told_in_one_sentence_before_any_work(tmp_path, models, files, wanted, sentence):
    from spandrel.architectures.Compact import Compact

    (tmp_path / "broken.pth").write_bytes(b"no model")
    network = Compact(num_in_ch=3, num_out_ch=1, num_feat=8, num_conv=2, upscale=1)
    torch.save(network.state_dict(), tmp_path / "grey.pth")
    known = {**files, "broken": str(tmp_path / "broken.pth"), "grey": str(tmp_path / "grey.pth")}
    told, events = {name: value.format_map(known) for name, value in wanted.items()}, []
    with pytest.raises(ScumbleError) as caught:
        run(job(tmp_path / "job", photo(60, 40)), models, events.append, **told)
    assert sentence in caught.value.message and "\n" not in caught.value.message and not events


def test_a_reference_preset_knows_no_restorer(models, tmp_path):
    with pytest.raises(ScumbleError, match="restore is"):
        run(job(tmp_path / "job", photo(64, 64)), models, preset="mikey", restore="x")


def test_a_job_that_is_cancelled_in_its_chain_goes_on_from_there(tmp_path, models, files):
    chain = f"{files['compact-x2']}+{files['compact-x2']}"
    wanted = {"upscaler": chain, "scale": 4, "strength": 0}
    folder, pixels = tmp_path / "job", photo(900, 60)
    broken, rest, whole = Watched(models), Watched(models), Watched(models)
    with pytest.raises(Cancelled):
        run(job(folder, pixels), broken, cancelled=lambda: broken.enlarged >= 4, **wanted)
    resumed = run(folder, rest, **wanted)[1]
    fresh = run(job(tmp_path / "fresh", pixels), whole, **wanted)[1]
    assert broken.enlarged + rest.enlarged == whole.enlarged and (resumed == fresh).all()


class _Remembering(Watched):
    """Keeps its lessons in a folder; networks may leave the card `ways` times."""

    ways = ()

    def relieve(self):
        way, *self.ways = self.ways or (None,)
        return way


def _remembering(models, data, **given):
    watched = _Remembering(models, **given)
    watched.data = data
    return watched


def _learnt(models, data, model="starter"):
    device = models.device.facts
    return Lessons(data, device.name, None).of(model)


@pytest.mark.parametrize("ways", [(), ("model",), ("model", "group")])
def test_a_job_steps_down_and_the_next_one_begins_there(tmp_path, models, ways):
    pixels, wanted = photo(400, 400), {"tile_size": 512, "scale": 1, "upscaler": "none"}
    first = _remembering(models, tmp_path, error=OUT, most=70)
    first.ways = ways
    expected = run(job(tmp_path / "one", pixels), first, **wanted)[2]
    learnt = _learnt(models, tmp_path)
    assert learnt.window == 256 and learnt.offload == (ways[-1] if ways else "none")
    second = _remembering(models, tmp_path, error=OUT, most=70)
    again = run(job(tmp_path / "two", pixels), second, **wanted)[2]
    assert len(second.batches) == len(first.batches) - 1 - len(ways)
    assert (again == expected).all()


def test_tiles_that_do_not_fit_together_go_one_by_one_the_next_time_too(tmp_path, models):
    class Batches(_Remembering):
        def latent_model(self, *asked):
            watched = super().latent_model(*asked)
            plain = watched.denoise

            def denoise(x, sigma, conditioning):
                if len(x) > 1:
                    self.calls += 1
                    raise OUT
                return plain(x, sigma, conditioning)

            watched.denoise = denoise
            return watched

    counts = []
    for name in ("one", "two"):
        models_here = Batches(models)
        models_here.data = tmp_path
        run(job(tmp_path / name, photo(220, 112)), models_here, batch=3)
        counts.append(models_here.calls)
    assert counts[0] == counts[1] + 1
    assert _learnt(models, tmp_path).batch == 1


def test_an_upscaler_that_ran_out_of_memory_begins_with_smaller_tiles_the_next_time(tmp_path, models, files):
    class Small(_Remembering):
        def upscaler(self, upscaler):
            real = super().upscaler(upscaler)
            plain = type(real).__call__

            class Card(type(real)):
                def __call__(card, pixels):
                    if pixels.shape[-1] * pixels.shape[-2] > 20_000:
                        self.calls += 1
                        raise OUT
                    return plain(card, pixels)

            real.__class__ = Card
            return real

    failed, wanted = [], {"upscaler": files["compact-x2"], "strength": 0}
    for name in ("one", "two"):
        small = Small(models)
        small.data = tmp_path
        run(job(tmp_path / name, photo(200, 150, seed=3)), small, **wanted)
        failed.append(small.calls)
    assert failed == [1, 0]
    assert _learnt(models, tmp_path, files["compact-x2"]) == Learnt(pixels=200 * 152 - 1)


def test_lessons_are_of_no_account_where_nothing_is_kept(tmp_path, models):
    run(job(tmp_path / "job", photo(300, 300)), Watched(models, error=OUT, most=64), tile_size=512, scale=1)
    assert not (tmp_path / NAME).exists()


def test_the_results_tell_of_the_memory_plan(tmp_path, models):
    result, *_ = run(job(tmp_path / "job", photo(64, 64)), models)
    plan = result.summary["memory_plan"]
    assert plan["kind"] == "cpu" and plan["tile"] == 128 and plan["needed"] > 0
    json.dumps(result.summary)


def test_too_little_memory_for_any_plan_is_told_before_any_work(tmp_path, models):
    facts = replace(models.device.facts, total=1_000_000, free=1_000_000)

    class Tiny(Device):
        @property
        def facts(self):
            return facts

    watched, events = Watched(models), []
    watched.device = Tiny("cpu", models.device.dtype)
    with pytest.raises(ScumbleError, match=r"this computer has 0\.0 GB: choose smaller models") as caught:
        run(job(tmp_path / "job", photo(64, 64)), watched, events.append)
    assert caught.value.code == "out_of_memory" and not events


def test_the_settings_choose_the_number_type(tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SCUMBLE_MEMORY", "precision=float32")
    for given in (None, Device("cpu", torch.bfloat16)):
        device = ModelCache(given).device
        assert device.dtype == torch.float32 and device.chosen
