"""The families with text encoders, on real diffusers pipelines with tiny random weights made here."""

import pytest
import torch
from tests.core.models.tiny import save_tiny

from scumble_core.errors import ScumbleError
from scumble_core.models.device import best_device
from scumble_core.models.diffusers_folder import family_of
from scumble_core.models.library import ModelCache, choices
from scumble_core.models.stable_diffusion import StableDiffusionModel
from scumble_core.picture.geometry import Extent


@pytest.fixture(scope="module", params=["sd15", "sdxl", "sdxl-refiner"])
def tiny(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / request.param
    save_tiny(request.param, folder)
    return request.param, folder


def test_the_family_is_read_from_the_folder(tiny):
    family, folder = tiny
    assert family_of(folder) == family


def test_latents_have_the_families_shape_and_decode_to_pixels(tiny):
    family, folder = tiny
    model = StableDiffusionModel(folder, family, best_device())
    latents = model.encode(torch.rand(1, 3, 64, 96))
    assert model.decode(latents).shape == (1, 3, 64, 96)
    assert torch.isfinite(latents).all()


def test_the_prompt_changes_the_prediction(tiny):
    family, folder = tiny
    model = StableDiffusionModel(folder, family, best_device())
    x = torch.randn(1, model.facts.channels, 8, 8, generator=torch.Generator().manual_seed(0))
    extent = Extent(64, 64)
    first, again, other = (
        model.denoise(x, 0.6, model.encode_prompt(prompt, extent)) for prompt in ("a b", "a b", "c c c d")
    )
    assert (first == again).all()
    assert (first != other).any()
    assert first.shape == x.shape


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ScumbleError, match="There is no model at"):
        family_of(tmp_path)


def test_models_in_the_models_folder_are_offered(tmp_path):
    save_tiny("sd15", tmp_path / "diffusion" / "mine")
    (tmp_path / "upscalers").mkdir()
    (tmp_path / "upscalers" / "sharp.pth").write_bytes(b"")
    offered = choices(tmp_path)
    assert ("mine") in [title for _name, title in offered.bases]
    assert ("sharp") in [title for _name, title in offered.upscalers]


def test_a_refiner_of_another_family_is_refused(tmp_path):
    from scumble_core.plan.job import plan_job
    from scumble_core.request import RefineRequest

    save_tiny("sd15", tmp_path / "base")
    save_tiny("sdxl-refiner", tmp_path / "refiner")
    request = RefineRequest(base=str(tmp_path / "base"), refiner=str(tmp_path / "refiner"))
    with pytest.raises(ScumbleError, match="does not share the latents"):
        plan_job(request, Extent(64, 64))


def test_loading_twice_gives_the_same_model(tmp_path):
    save_tiny("sd15", tmp_path / "base")
    models = ModelCache()
    assert models.latent_model(str(tmp_path / "base")) is models.latent_model(str(tmp_path / "base"))
