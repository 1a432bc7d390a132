"""Tiny autoencoders that show what is still being walked."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file
from tests.core.jobs_on_disk import job, photo, run
from tests.core.models.tiny import save_tiny

from scumble_core import job as jobs
from scumble_core.errors import ScumbleError
from scumble_core.events import TilePreview
from scumble_core.models.additions import sketcher_among
from scumble_core.models.cache import ModelCache
from scumble_core.models.detect import Found
from scumble_core.models.index import Entry
from scumble_core.models.library import models_folder
from scumble_core.models.offers import entries_of
from scumble_core.models.previews import load_sketcher


def tiny(width=8):
    torch.manual_seed(1)
    return AutoencoderTiny(decoder_block_out_channels=(width,) * 4, encoder_block_out_channels=(width,) * 4).eval()


def taesd(path, vae, prefix=""):
    """The decoder in TAESD's own layout."""
    layers = {name.removeprefix("layers."): each for name, each in vae.decoder.state_dict().items()}
    parts = {name: name.split(".", 1) for name in layers}
    tensors = {f"{prefix}{int(parts[name][0]) + 1}.{parts[name][1]}": each for name, each in layers.items()}
    if path.suffix == ".pth":
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    return path


def test_every_layout_draws_the_same(tmp_path):
    vae = tiny()
    vae.save_pretrained(tmp_path / "folder")
    save_file(vae.state_dict(), tmp_path / "whole.safetensors")
    paths = [
        tmp_path / "folder", tmp_path / "whole.safetensors", taesd(tmp_path / "taesd_decoder.safetensors", vae),
        taesd(tmp_path / "taesd_decoder.pth", vae), taesd(tmp_path / "a.safetensors", vae, "taesd_decoder."),
    ]  # fmt: skip
    latent = torch.randn(4, 16, 24, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        expected = (vae.decode(latent[None]).sample[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0)
    for path in paths:
        torch.testing.assert_close(load_sketcher(path, "cpu")(latent), expected, atol=1e-5, rtol=0)


def test_a_large_latent_makes_a_small_picture(tmp_path):
    sketcher = load_sketcher(taesd(tmp_path / "a.safetensors", tiny()), "cpu")
    assert sketcher(torch.zeros(4, 128, 64)).shape == (256, 128, 3)


def test_what_is_none_is_told(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ScumbleError, match="no tiny autoencoder"):
        load_sketcher(tmp_path / "a.safetensors", "cpu")


def entry(path, family="sd-or-sdxl", **detail):
    found = Found(path, "vae", family, "tiny", detail=detail)
    return Entry(path, 1, 1, "scumble", "vae", found, "", False, "")


def test_the_family_and_where_tensors_are_alike_the_name_choose():
    entries = [
        entry("/b/taesdxl_decoder.pth"), entry("/b/taesd_decoder.pth"), entry("/b/taef1_decoder.pth", "flux-or-sd3"),
        entry("/a/taesd_encoder.pth", halves="encoder"),
    ]  # fmt: skip
    chosen = {family: sketcher_among(entries, family) for family in ("sd15", "sdxl", "flux", "starter")}
    assert {family: path and path.name for family, path in chosen.items()} == {
        "sd15": "taesd_decoder.pth", "sdxl": "taesdxl_decoder.pth", "flux": "taef1_decoder.pth", "starter": None,
    }  # fmt: skip


def test_a_job_shows_tiles_while_they_are_walked_and_comes_out_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(jobs, "SKETCH_SECONDS", -1.0)
    save_tiny("sd15", tmp_path / "base")
    asked = {"base": str(tmp_path / "base"), "upscaler": "none", "scale": 1.0, "smallest_side": 64, "steps": 3}
    without, events = [], []
    plain = run(job(tmp_path / "plain", photo(150, 100)), ModelCache(), without.append, **asked)[2]
    models_folder().mkdir(parents=True)
    taesd(models_folder() / "taesd_decoder.safetensors", tiny())
    assert entries_of(models_folder())
    shown = run(job(tmp_path / "shown", photo(150, 100)), ModelCache(), events.append, **asked)[2]
    assert (shown == plain).all()
    sketches = [event for event in events if isinstance(event, TilePreview) and not event.finished]
    assert not any(isinstance(event, TilePreview) and not event.finished for event in without)
    places = {event.bounds for event in events if isinstance(event, TilePreview) and event.finished}
    assert len(sketches) == 3 * len(places) and {event.bounds for event in sketches} == places
    assert all(event.pixels.dtype == np.uint8 and event.pixels.shape[2] == 3 for event in sketches)


def test_a_broken_one_costs_no_job(tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    models_folder().mkdir(parents=True)
    path = taesd(models_folder() / "taesd_decoder.safetensors", tiny())
    assert entries_of(models_folder())
    path.write_bytes(b"gone")
    assert ModelCache().sketcher("sd15") is None
