"""Single files give what folders give, without the network; what is wrong with one is told in a sentence."""

import socket

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.core.models.saved import CPU, FAMILIES, Saved, answers
from tests.core.models.tiny_exports import save_single, single_file
from tests.core.models.tiny_families import pipeline

from scumble_core.errors import ScumbleError
from scumble_core.models.checkpoints.load import load_model
from scumble_core.models.checkpoints.vocabulary import clip_tokenizer, clip_vocabulary
from scumble_core.models.detect import detect
from scumble_core.sampling.prediction import Velocity
from scumble_core.sampling.sigmas import training_sigmas

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=FAMILIES)
def saved(request, tmp_path_factory):
    return Saved.of(request.param, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def sd15(tmp_path_factory):
    return Saved.of("sd15", tmp_path_factory.mktemp("models"))


def test_both_layouts_give_the_same_answers(saved):
    for ours, theirs in zip(answers(saved.from_file), answers(saved.from_folder), strict=True):
        assert float(theirs.std()) > 0.01
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_the_prompt_counts(saved):
    first, other = answers(saved.from_file)[0], answers(saved.from_file, prompt="w2 another")[0]
    assert float((first - other).abs().max()) > 1e-4


def test_loading_opens_no_socket(saved, monkeypatch):
    def refused(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    model = load_model(detect(saved.file), CPU, detect(saved.folder))
    assert model.facts.family == saved.family


def test_clips_tokens_are_the_published_ones():
    words, merges = clip_vocabulary()
    assert (len(words), len(merges)) == (49408, 48894)
    tokens = clip_tokenizer("clip")("A photo of a cat")["input_ids"]
    assert tokens == [49406, 320, 1125, 539, 320, 2368, 49407]
    padded = clip_tokenizer("clip-zero")("a cat", padding="max_length")["input_ids"]
    assert padded == [49406, 320, 2368, 49407, *[0] * 73]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_files_of_any_precision_come_close_to_the_full_one(sd15, tmp_path, dtype):
    tensors = load_file(sd15.file)
    save_file({name: tensor.to(dtype) for name, tensor in tensors.items()}, tmp_path / "small.safetensors")
    found = detect(tmp_path / "small.safetensors")
    for ours, full in zip(answers(load_model(found, CPU)), answers(sd15.from_file), strict=True):
        assert ours.dtype == torch.float32
        # 8 bits have 3 of mantissa.
        error = float((ours - full).std() / full.std())
        assert error < (0.5 if dtype.itemsize == 1 else 0.02)


def test_weights_of_8_bits_that_are_kept_divided_come_back(sd15, tmp_path):
    tensors = load_file(sd15.file)
    for name in [each for each in tensors if each.endswith("to_q.weight")]:
        scale = tensors[name].abs().max() / 448
        tensors[name] = (tensors[name] / scale).to(torch.float8_e4m3fn)
        tensors[name.replace(".weight", ".scale_weight")] = scale
    tensors["model.diffusion_model.scaled_fp8"] = torch.zeros(2, dtype=torch.float8_e4m3fn)
    save_file(tensors, tmp_path / "scaled.safetensors")
    ours = answers(load_model(detect(tmp_path / "scaled.safetensors"), CPU))[0]
    torch.testing.assert_close(ours, answers(sd15.from_file)[0], rtol=0, atol=0.01)


@pytest.mark.parametrize("layout", ["ldm", "diffusers"])
def test_a_network_alone_takes_the_other_parts_from_another_model(sd15, tmp_path, layout):
    pipe = pipeline("sd15")
    network = pipe.unet.state_dict()
    if layout == "ldm":
        whole = single_file("sd15", pipe)
        network = {name: each for name, each in whole.items() if name.startswith("model.diffusion_model.")}
    save_file({name: each.contiguous() for name, each in network.items()}, tmp_path / "unet.safetensors")
    found = detect(tmp_path / "unet.safetensors")
    assert found.kind == "transformer"
    for donor in (sd15.folder, sd15.file):
        model = load_model(found, CPU, detect(donor))
        torch.testing.assert_close(answers(model)[0], answers(sd15.from_file)[0], rtol=0, atol=1e-5)


def test_a_transformer_in_diffusers_layout_is_loaded_too(tmp_path):
    pipe = pipeline("flux")
    pipe.save_pretrained(tmp_path / "whole", safe_serialization=True)
    network = {name: each.contiguous() for name, each in pipe.transformer.state_dict().items()}
    save_file(network, tmp_path / "net.safetensors")
    donor = detect(tmp_path / "whole")
    alone = load_model(detect(tmp_path / "net.safetensors"), CPU, donor)
    torch.testing.assert_close(answers(alone)[0], answers(load_model(donor, CPU))[0], rtol=0, atol=1e-5)


def test_marks_and_metadata_decide_what_is_predicted(tmp_path):
    pipe = pipeline("sdxl")
    marked = save_single("sdxl", pipe, tmp_path / "marked.safetensors", marks=("v_pred", "ztsnr"))
    model = load_model(detect(marked), CPU)
    assert isinstance(model._prediction, Velocity)
    assert torch.equal(model.sigma_table, training_sigmas(torch.float64, zero_snr=True))
    assert model.facts.levels[-1] == pytest.approx(float(model.sigma_table[-1]), rel=1e-4)
    told = save_single("sdxl", pipe, tmp_path / "told.safetensors", {"modelspec.prediction_type": "v"})
    other = load_model(detect(told), CPU)
    assert isinstance(other._prediction, Velocity)
    assert torch.equal(other.sigma_table, training_sigmas(torch.float64))


def test_a_v_model_in_a_folder_and_in_a_file_say_the_same(tmp_path):
    changed = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    pipe = pipeline("sdxl", scheduler=changed)
    pipe.save_pretrained(tmp_path / "v", safe_serialization=True)
    file = save_single("sdxl", pipe, tmp_path / "v.safetensors", marks=("v_pred", "ztsnr"))
    models = [load_model(detect(path), CPU) for path in (tmp_path / "v", file)]
    assert models[0].facts == models[1].facts
    for sigma in (0.6, float(models[0].sigma_table[-1])):
        first, second = (answers(model, sigma)[0] for model in models)
        torch.testing.assert_close(first, second, rtol=0, atol=1e-5)


def _without(path, tmp_path, name):
    tensors = load_file(path)
    del tensors[name]
    save_file(tensors, tmp_path / "broken.safetensors")
    return detect(tmp_path / "broken.safetensors")


def test_a_missing_tensor_is_named(sd15, tmp_path):
    name = "model.diffusion_model.middle_block.0.in_layers.2.weight"
    with pytest.raises(
        ScumbleError, match=r"broken.safetensors.*its unet lacks mid_block.resnets.0.conv1.weight"
    ) as caught:
        load_model(_without(sd15.file, tmp_path, name), CPU)
    assert caught.value.code == "unknown_model"


def test_a_missing_first_tensor_is_named(sd15, tmp_path):
    name = "first_stage_model.decoder.conv_in.weight"
    with pytest.raises(ScumbleError, match=r"broken.safetensors.*its vae lacks .*decoder.conv_in.weight"):
        load_model(_without(sd15.file, tmp_path, name), CPU)


def test_a_tensor_of_another_shape_is_named(sd15, tmp_path):
    tensors = load_file(sd15.file)
    name = "cond_stage_model.transformer.text_model.final_layer_norm.weight"
    tensors[name] = torch.cat([tensors[name]] * 2)
    save_file(tensors, tmp_path / "odd.safetensors")
    with pytest.raises(ScumbleError, match=r"odd.safetensors.*its text encoder has in another shape"):
        load_model(detect(tmp_path / "odd.safetensors"), CPU)


def test_tensors_of_another_build_are_not_ignored(sd15, tmp_path):
    tensors = load_file(sd15.file)
    tensors["first_stage_model.decoder.up.0.block.9.conv1.weight"] = torch.zeros(32, 32, 3, 3)
    save_file(tensors, tmp_path / "more.safetensors")
    with pytest.raises(
        ScumbleError, match=r"more.safetensors.*its vae .*another build|more.safetensors.*its vae lacks"
    ):
        load_model(detect(tmp_path / "more.safetensors"), CPU)


@pytest.mark.parametrize("part", ["cond_stage_model.", "first_stage_model."])
def test_a_missing_part_is_named(sd15, tmp_path, part):
    tensors = {name: each for name, each in load_file(sd15.file).items() if not name.startswith(part)}
    save_file(tensors, tmp_path / "part.safetensors")
    with pytest.raises(ScumbleError, match=r"part.safetensors has no (text encoder|vae)"):
        load_model(detect(tmp_path / "part.safetensors"), CPU)


def test_a_pickled_checkpoint_of_plain_weights_is_loaded(sd15, tmp_path):
    torch.save({"state_dict": load_file(sd15.file), "epoch": 3}, tmp_path / "old.ckpt")
    model = load_model(detect(tmp_path / "old.ckpt"), CPU)
    torch.testing.assert_close(answers(model)[0], answers(sd15.from_file)[0], rtol=0, atol=1e-5)


def test_a_truncated_file_is_refused_before_anything_is_loaded(sd15, tmp_path):
    (tmp_path / "half.safetensors").write_bytes(sd15.file.read_bytes()[: sd15.file.stat().st_size // 2])
    with pytest.raises(ScumbleError, match=r"half.safetensors"):
        detect(tmp_path / "half.safetensors")
