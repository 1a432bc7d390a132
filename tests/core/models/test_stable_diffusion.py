"""The families with text encoders, on real diffusers pipelines with tiny random weights made here."""

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EDMEulerScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    PNDMScheduler,
    UNet2DConditionModel,
)
from tests.core.models.tiny import save_tiny

from scumble_core.errors import ScumbleError
from scumble_core.models.cache import ModelCache
from scumble_core.models.checkpoints.load import load_model
from scumble_core.models.detect import detect
from scumble_core.models.device import best_device
from scumble_core.models.interface import Conditioning
from scumble_core.models.networks import KLAutoencoder, TextConditioning, TextUNet
from scumble_core.models.schedulers import prediction_of
from scumble_core.picture.geometry import Extent
from scumble_core.sampling.prediction import Epsilon, Flow, Velocity, flow_sigmas
from scumble_core.sampling.sigmas import training_sigmas

SCALED_LINEAR = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


@pytest.fixture(scope="module", params=["sd15", "sdxl", "sdxl-refiner"])
def tiny(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / request.param
    save_tiny(request.param, folder)
    return request.param, folder


def test_the_family_is_read_from_the_folder(tiny):
    family, folder = tiny
    assert detect(folder).family == family


def test_latents_have_the_families_shape_and_decode_to_pixels(tiny):
    _, folder = tiny
    model = load_model(detect(folder), best_device())
    latents = model.encode(torch.rand(1, 3, 64, 96))
    assert model.decode(latents).shape == (1, 3, 64, 96)
    assert torch.isfinite(latents).all()


def test_the_prompt_changes_the_prediction(tiny):
    _, folder = tiny
    model = load_model(detect(folder), best_device())
    x = torch.randn(1, model.facts.channels, 8, 8, generator=torch.Generator().manual_seed(0))
    extent = Extent(64, 64)
    first, again, other = (
        model.denoise(x, 0.6, model.encode_prompt(prompt, extent)) for prompt in ("a b", "a b", "c c c d")
    )
    assert (first == again).all()
    assert (first != other).any()
    assert first.shape == x.shape


def test_every_family_is_a_denoiser_at_both_ends_of_its_table(tiny):
    _, folder = tiny
    model = load_model(detect(folder), best_device())
    conditioning = model.encode_prompt("a", Extent(64, 64))
    clean = torch.zeros(2, 4, 8, 8)
    for sigma in (float(model.sigma_table[0]), float(model.sigma_table[-1])):
        assert torch.isfinite(model.denoise(clean + sigma, sigma, conditioning)).all()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ScumbleError, match="There is no model at"):
        detect(tmp_path)


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


@pytest.mark.parametrize("scheduler", [DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler])
def test_the_usual_table_is_the_references_whatever_the_scheduler(scheduler):
    prediction = prediction_of(scheduler(**SCALED_LINEAR))
    assert isinstance(prediction, Epsilon)
    assert torch.equal(prediction.table, training_sigmas(torch.float64))


@pytest.mark.parametrize("schedule", ["scaled_linear", "squaredcos_cap_v2"])
def test_a_v_model_without_signal_at_its_last_step_has_a_finite_table(schedule):
    settings = {**SCALED_LINEAR, "beta_schedule": schedule, "rescale_betas_zero_snr": True}
    prediction = prediction_of(DDIMScheduler(**settings, prediction_type="v_prediction"))
    assert isinstance(prediction, Velocity)
    assert torch.isfinite(prediction.table).all() and (prediction.table.diff() >= 0).all()
    assert float(prediction.table[-1]) > 4000
    # Below the top it is the scheduler's own.
    signal = DDIMScheduler(**settings).alphas_cumprod.double()[:900]
    torch.testing.assert_close(prediction.table[:900], ((1 - signal) / signal).sqrt(), rtol=1e-3, atol=0)


def test_a_flow_model_is_known_by_its_scheduler_and_keeps_its_shift():
    prediction = prediction_of(FlowMatchEulerDiscreteScheduler(shift=3.0))
    assert isinstance(prediction, Flow)
    assert torch.equal(prediction.table, flow_sigmas(3.0, dtype=torch.float64))


@pytest.mark.parametrize("scheduler", [DDIMScheduler(prediction_type="sample"), EDMEulerScheduler()])
def test_what_scumble_cannot_read_is_refused(scheduler):
    with pytest.raises(ScumbleError, match="choose another model") as caught:
        prediction_of(scheduler)
    assert caught.value.code == "unknown_model"


def test_a_bare_unet_and_autoencoder_serve_in_their_own_precision_or_in_float32():
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(8, 8), norm_num_groups=4, layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=8, attention_head_dim=2,
    ).to(torch.bfloat16)  # fmt: skip
    vae = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)
    call, autoencoder = TextUNet(unet), KLAutoencoder(vae, 0.5, torch.bfloat16)
    x, time, text = torch.randn(2, 4, 8, 8), torch.tensor([3]), TextConditioning(torch.randn(1, 5, 8))
    pixels = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        coarse, latents = call(x, time, text), autoencoder.encode(pixels)
        with call.precise(), autoencoder.precise():
            fine, fine_latents = call(x, time, text), autoencoder.encode(pixels)
        assert (coarse.dtype, fine.dtype, unet.dtype, vae.dtype) == (
            torch.bfloat16,
            torch.float32,
            *[torch.bfloat16] * 2,
        )
        assert latents.dtype == autoencoder.decode(latents).dtype == torch.float32
        torch.testing.assert_close(coarse.float(), fine, atol=0.1, rtol=0.1)
        torch.testing.assert_close(latents, fine_latents, atol=0.1, rtol=0.1)
        assert not torch.equal(latents, fine_latents)


def test_another_models_conditioning_is_refused():
    with pytest.raises(TypeError, match="another model"):
        TextUNet(None)(torch.zeros(1, 4, 8, 8), torch.tensor([3]), Conditioning())
