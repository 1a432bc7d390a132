"""What holds for every family: seeds reproduce, tiles agree, a whole job comes out finite; and how each is its own."""

import shutil

import diffusers
import numpy as np
import pytest
import torch
from diffusers import FluxPipeline, ZImagePipeline
from safetensors.torch import save_file
from tests.core.jobs_on_disk import job, photo
from tests.core.models.saved import CPU, FAMILIES, Saved, answers
from tests.core.models.tiny_exports import z_image_as_published
from tests.core.models.tiny_families import pipeline, save_family

from scumble_core.errors import ScumbleError
from scumble_core.models.cache import ModelCache
from scumble_core.models.checkpoints.load import load_model
from scumble_core.models.detect import detect
from scumble_core.models.families import FAMILIES as KNOWN
from scumble_core.models.families.adapter import few_steps
from scumble_core.models.families.flux_network import packed, unpacked
from scumble_core.models.library import base_facts, identity_of
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.pipeline import run_job
from scumble_core.plan.job import plan_job
from scumble_core.request import RefineRequest
from scumble_core.sampling.anchored import Anchor, AnchoredNoise
from scumble_core.sampling.euler import euler
from scumble_core.sampling.prediction import Flow, NetworkDenoiser, flow_sigmas

BASES = tuple(name for name in FAMILIES if KNOWN[name].role == "base")


pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_data(tmp_path, monkeypatch):
    """No index of this computer's models."""
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(scope="module", params=BASES)
def saved(request, tmp_path_factory):
    return Saved.of(request.param, tmp_path_factory.mktemp("models"))


def run(folder, base, **fields):
    fields = {"scale": 1.25, "smallest_side": 64, "upscaler": "none", "steps": 2, "prompt": "a b", **fields}
    request = RefineRequest.from_dict({"base": str(base), "refiner": "none", **fields})
    run_job(folder, request, ModelCache(CPU), lambda event: None, lambda: False)
    return np.load(folder / "refined.npy"), np.load(folder / "upscaled.npy")


def test_a_whole_job_gives_a_picture_that_its_seed_reproduces(saved, tmp_path):
    pixels = photo(80, 96, np.float32)
    refined, upscaled = run(job(tmp_path / "one", pixels), saved.folder, strength=0.5, seed=5)
    assert refined.shape == upscaled.shape == (120, 100, 4)
    assert np.isfinite(refined).all() and (refined != upscaled).any()
    again, _ = run(job(tmp_path / "two", pixels), saved.folder, strength=0.5, seed=5)
    assert (again == refined).all()
    other, _ = run(job(tmp_path / "three", pixels), saved.folder, strength=0.5, seed=6)
    assert (other != refined).any()


def test_several_tiles_and_merged_steps_come_out_too(saved, tmp_path):
    pixels = photo(200, 128, np.float32)
    refined, _ = run(job(tmp_path / "job", pixels), saved.folder, strength=0.9, tile_size=128)
    assert np.isfinite(refined).all()


def test_a_picture_from_nothing_comes_out_too(saved, tmp_path):
    refined, _ = run(job(tmp_path / "job", photo(64, 64)), saved.folder, start="empty", strength=0.0, scale=1.0)
    assert refined.std() > 0


def test_answers_are_finite_at_both_ends_of_the_table(saved):
    table = saved.from_folder.sigma_table
    for sigma in (float(table[0]), float(table[-1])):
        assert all(torch.isfinite(each).all() for each in answers(saved.from_folder, sigma))


def test_the_plan_counts_with_the_models_own_levels(saved):
    model = saved.from_folder
    np.testing.assert_allclose(model.facts.levels, model.sigma_table.double().numpy(), rtol=1e-5)
    assert model.facts == KNOWN[saved.family].facts_of(detect(saved.folder))


def test_precision_comes_and_goes(saved):
    model = load_model(detect(saved.folder), CPU)
    model._network.module.to(torch.bfloat16)
    coarse = answers(model)[0]
    with model.precise():
        fine = answers(model)[0]
    assert model._network.dtype == torch.bfloat16
    assert coarse.dtype == fine.dtype == torch.float32 and not torch.equal(coarse, fine)
    torch.testing.assert_close(coarse, fine, rtol=0, atol=0.1)


@pytest.mark.parametrize(("family", "kind"), [("flux", FluxPipeline), ("z-image", ZImagePipeline)])
def test_a_flow_walks_as_diffusers_own_pipeline_does(tmp_path, family, kind):
    """From the same noise, with the same steps and guidance, the same latent."""
    folder = save_family(family, tmp_path / family)
    model, pipe = load_model(detect(folder), CPU), kind.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 16, 16, 12, generator=torch.Generator().manual_seed(1))
    told = {"prompt": "w1 w2 a", "height": 128, "width": 96, "num_inference_steps": 4, "output_type": "latent"}
    if family == "flux":
        theirs = unpacked(pipe(**told, guidance_scale=2.5, latents=packed(noise)).images, 16, 12)
    else:
        theirs = pipe(**told, guidance_scale=0.0, latents=noise).images
    vae = pipe.vae.config
    sigmas = [3.0 * share / (1 - share) for share in (0.75, 0.5, 0.25)]
    words = model.encode_prompt("w1 w2 a", Extent(96, 128), guidance=2.5)
    levels = torch.tensor([float(flow_sigmas(3.0)[-1]), *sigmas, 0.0], dtype=torch.float64)
    ours = euler(lambda x, sigma: model.denoise(x, sigma, words), noise * levels[0], levels, lambda a, b: noise)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=3e-3)
    with torch.inference_mode():
        pixels = pipe.vae.decode(theirs / vae.scaling_factor + vae.shift_factor).sample / 2 + 0.5
    torch.testing.assert_close(model.decode(theirs), pixels, rtol=0, atol=1e-5)


ZERO_SNR = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}


@pytest.mark.parametrize(("family", "changed"), [("sd15", {}), ("sdxl", {}), ("sdxl", ZERO_SNR)])
def test_few_steps_walk_as_diffusers_own_pipeline_does(tmp_path, family, changed):
    """At trailing training steps, without guidance: what distilled models were made for."""
    folder = save_family(family, tmp_path / family, scheduler={"timestep_spacing": "trailing", **changed})
    found = detect(folder)
    model = load_model(found, CPU)
    pipe = getattr(diffusers, KNOWN[family].pipeline).from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, 16, 12, generator=torch.Generator().manual_seed(1))
    told = {"prompt": "a photo", "height": 128, "width": 96, "num_inference_steps": 4, "guidance_scale": 1.0}
    theirs = pipe(**told, latents=noise, output_type="latent").images
    words = model.encode_prompt("a photo", Extent(96, 128))
    facts = few_steps(model.facts)
    sigmas = torch.tensor(facts.spread(float(facts.levels[-1]), 4), dtype=torch.float64)
    ours = euler(lambda x, sigma: model.denoise(x, sigma, words), noise * sigmas[0], sigmas, lambda a, b: noise)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-3 * float(theirs.abs().max()))


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_a_flow_shows_overlapping_tiles_the_same_noise_in_the_same_proportion(shift):
    """Anchored noise holds for flows: what a network sees of a place does not depend on the tile."""
    canvas = torch.randn(1, 16, 24, 40, generator=torch.Generator().manual_seed(4))
    places = [Bounds(0, 0, 24, 24), Bounds(16, 0, 24, 24)]
    seen: list[list[torch.Tensor]] = [[], []]

    def walked(number):
        bounds = places[number]
        noise = AnchoredNoise([Anchor(bounds.translate(64, 8), 11)], 16)

        def network(scaled, time, words):
            seen[number].append(scaled)
            return (scaled * 1.3).tanh() - time / 1000

        denoiser = NetworkDenoiser(network, Flow(flow_sigmas(shift)))
        clean = canvas[..., bounds.x : bounds.right]
        sigmas = torch.tensor([shift, shift / 2, shift / 5, 0.0])
        return euler(lambda x, sigma: denoiser(x, sigma, None), clean + noise() * sigmas[0], sigmas, noise)

    left, right = walked(0), walked(1)
    assert torch.equal(left[..., 16:], right[..., :8])
    for one, other in zip(*seen, strict=True):
        assert torch.equal(one[..., 16:], other[..., :8])
    # Interpolated: (1 - t) x0 + t noise, of about unit variance whatever the level.
    t = shift / (1 + shift)
    drawn = AnchoredNoise([Anchor(places[0].translate(64, 8), 11)], 16)()
    torch.testing.assert_close(seen[0][0], (1 - t) * canvas[..., :24] + t * drawn, rtol=0, atol=1e-5)


def test_packing_and_unpacking_are_inverse():
    latents = torch.randn(2, 16, 6, 10)
    assert torch.equal(unpacked(packed(latents), 6, 10), latents)
    assert torch.equal(packed(latents)[0, 1], latents[0, :, :2, 2:4].reshape(-1))


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_an_inpainting_model_refines_as_if_all_were_a_hole(tmp_path, family):
    folder = save_family(family, tmp_path / "fill", channels=9)
    found = detect(folder)
    assert found.variant == "inpainting"
    model = load_model(found, CPU)
    shown = []
    model._network.module.register_forward_pre_hook(lambda module, given: shown.append(given[0]))
    latents = answers(model)[0]
    assert torch.isfinite(latents).all() and latents.shape == (2, 4, 12, 8)
    grey = model.encode(torch.full((1, 3, 96, 64), 0.5))
    assert shown[0].shape == (2, 9, 12, 8)
    assert (shown[0][:, 4] == 1).all()
    torch.testing.assert_close(shown[0][:, 5:], grey.expand(2, -1, -1, -1))
    refined, upscaled = run(job(tmp_path / "job", photo(80, 96)), folder, strength=0.5)
    assert (refined != upscaled).any()


def test_fluxs_filling_variant_refines_in_the_same_way(tmp_path):
    found = detect(save_family("flux", tmp_path / "fill", channels=384))
    assert found.variant == "fill"
    assert load_model(found, CPU).facts.guidance == 30
    assert torch.isfinite(answers(load_model(found, CPU))[0]).all()


def test_a_model_that_is_told_its_guidance_heeds_it_and_is_not_asked_twice(tmp_path):
    model = load_model(detect(save_family("flux", tmp_path / "dev")), CPU)
    extent, x = Extent(64, 64), torch.randn(1, 16, 8, 8)
    low, high, usual = (
        model.denoise(x, 0.6, model.encode_prompt("a", extent, guidance=scale)) for scale in (1.0, 9.0, None)
    )
    assert not torch.equal(low, high)
    assert torch.equal(usual, model.denoise(x, 0.6, model.encode_prompt("a", extent, guidance=3.5)))
    request = RefineRequest(base=str(tmp_path / "dev"), refiner="none", guidance=9.0, guidance_interval=False)
    walk = plan_job(request, Extent(512, 512)).tile_pass.walk
    assert walk.guidance == 9.0 and walk.calls() == walk.steps


def test_schnell_is_not_told_its_guidance(tmp_path):
    folder = save_family("flux", tmp_path / "schnell", guidance_embeds=False)
    facts = base_facts(str(folder))
    assert (facts.guidance, facts.steps, facts.flow_shift, facts.told_guidance) == (1.0, 4, 1.0, False)
    assert torch.isfinite(answers(load_model(detect(folder), CPU))[0]).all()


def test_a_consistency_model_is_told_its_guidance(tmp_path):
    folder = save_family("sd15", tmp_path / "lcm", time_cond_proj_dim=32)
    model = load_model(detect(folder), CPU)
    assert (model.facts.sampler, model.facts.told_guidance) == ("lcm", True)
    extent, x = Extent(64, 64), torch.randn(1, 4, 8, 8)
    low, high = (model.denoise(x, 0.6, model.encode_prompt("a", extent, guidance=each)) for each in (2.0, 8.0))
    assert not torch.equal(low, high)


def test_a_model_that_a_consistency_lora_was_merged_into_is_guided_as_any_other(tmp_path):
    folder = save_family("sd15", tmp_path / "merged")
    scheduler = folder / "scheduler" / "scheduler_config.json"
    scheduler.write_text(scheduler.read_text().replace("EulerDiscreteScheduler", "LCMScheduler"))
    facts = base_facts(str(folder))
    assert (facts.sampler, facts.guidance, facts.told_guidance) == ("lcm", 1.0, False)


def test_a_refiner_as_base_is_refused_before_anything_is_loaded(tmp_path):
    folder = save_family("sdxl-refiner", tmp_path / "refiner")
    with pytest.raises(ScumbleError, match=r"refiner.*choose it as the refiner, beside a base model"):
        plan_job(RefineRequest(base=str(folder), refiner="none"), Extent(512, 512))


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_part_that_is_cut_off_is_found_before_the_job(tmp_path, part):
    folder = save_family("sd15", tmp_path / "model")
    weights = next((folder / part).glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ScumbleError, match=weights.name):
        plan_job(RefineRequest(base=str(folder), refiner="none"), Extent(512, 512))


def test_base_and_refiner_go_together_whatever_their_layouts(tmp_path):
    base = Saved.of("sdxl", tmp_path)
    refiner = Saved.of("sdxl-refiner", tmp_path)
    pictures = []
    for number, (first, second) in enumerate(((base.folder, refiner.file), (base.file, refiner.folder))):
        folder = job(tmp_path / f"job{number}", photo(80, 96, np.float32))
        refined, _ = run(folder, first, refiner=str(second), steps=4, strength=0.5)
        pictures.append(refined)
    np.testing.assert_allclose(*pictures, rtol=0, atol=1e-5)


def test_a_network_alone_finds_its_lender_among_the_models(tmp_path):
    models = tmp_path / "data" / "models"
    pipe = pipeline("z-image")
    pipe.save_pretrained(models / "whole", safe_serialization=True)
    network = {f"model.diffusion_model.{name}": each for name, each in z_image_as_published(pipe.transformer).items()}
    save_file({name: each.contiguous() for name, each in network.items()}, models / "alone.safetensors")
    pictures = [
        run(job(tmp_path / name, photo(80, 96, np.float32)), models / name, strength=0.5)[0]
        for name in ("whole", "alone.safetensors")
    ]
    np.testing.assert_allclose(*pictures, rtol=0, atol=1e-5)
    lent = identity_of(str(models / "alone.safetensors"))
    assert lent.endswith(f"with {identity_of(str(models / 'whole'))}")
    shutil.rmtree(models / "whole")
    with pytest.raises(ScumbleError, match="without its encoders"):
        plan_job(RefineRequest(base=str(models / "alone.safetensors"), refiner="none"), Extent(512, 512))


def test_other_parts_alone_are_no_base(tmp_path):
    pipeline("sd15").text_encoder.save_pretrained(tmp_path / "text")
    with pytest.raises(ScumbleError, match="text"):
        plan_job(RefineRequest(base=str(tmp_path / "text"), refiner="none"), Extent(512, 512))
