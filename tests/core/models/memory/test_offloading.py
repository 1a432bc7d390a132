"""Whole pipelines that share a room, by the real hooks; the computer's memory plays the card."""

import pytest
import torch
from tests.core.models.tiny import save_tiny

from scumble_core.models.cache import ModelCache
from scumble_core.models.device import Device
from scumble_core.models.memory.room import DeviceRoom
from scumble_core.picture.geometry import Extent


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for family in ("sdxl", "sdxl-refiner"):
        save_tiny(family, folder / family)
    return str(folder / "sdxl"), str(folder / "sdxl-refiner")


def _asked(model):
    """Prompts, encode, either side of the handover, decode."""
    words = model.encode_prompt("a b", Extent(64, 64))
    latents = model.encode(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3)))
    above, below = (model.denoise(latents, sigma, words) for sigma in (2.0, 0.3))
    return [latents, above, below, model.decode(below)]


@pytest.mark.parametrize("offload", ["none", "model", "group", "sequential"])
def test_base_and_refiner_give_the_same_numbers_however_they_share_the_card(folders, offload):
    device = Device("cpu", torch.float32)
    expected = _asked(ModelCache(device).latent_model(*folders))
    models = ModelCache(device)
    models._room = DeviceRoom("cpu")
    models.settle(offload, folders)
    found = _asked(models.latent_model(*folders))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    inside = [type(network).__name__ for network in models.room.inside]
    if offload == "none":
        assert inside.count("UNet2DConditionModel") == 2 and "AutoencoderKL" in inside
    else:
        assert len(inside) <= 1


def test_steps_down_in_the_midst_of_work_change_no_number(folders):
    device = Device("cpu", torch.float32)
    models = ModelCache(device)
    models._room = DeviceRoom("cpu")
    model = models.latent_model(*folders)
    expected = _asked(model)
    for way in ("model", "group", "sequential", None):
        assert models.relieve() == way
        assert all(torch.equal(one, other) for one, other in zip(_asked(model), expected, strict=True))
