"""ControlNets beside real tiny UNets: the same in every layout, felt, and refused where they can't be."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.core.models.controlnet import files
from tests.core.models.tiny import WIDTH
from tests.core.models.tiny import _unet as tiny_unet

from scumble_core.errors import ScumbleError
from scumble_core.models.controlnet import load_controlnet


@pytest.fixture(params=["sd15", "sdxl"])
def unet(request):
    torch.manual_seed(0)
    return tiny_unet(WIDTH) if request.param == "sd15" else tiny_unet(2 * WIDTH, added=WIDTH + 6 * 8)


@torch.inference_mode()
def answers(unet, net, strength=1.0, seed=1, count=2):
    """What a UNet says beside the ControlNet, of two tiles."""
    generator = torch.Generator().manual_seed(seed)
    x, pixels = torch.randn(count, 4, 8, 8, generator=generator), torch.rand(count, 3, 64, 64, generator=generator)
    text = torch.randn(count, 5, unet.config.cross_attention_dim, generator=generator)
    added = {"text_embeds": torch.randn(count, WIDTH, generator=generator), "time_ids": torch.ones(count, 6)}
    if unet.config.addition_embed_type is None:
        added = None
    time = torch.tensor([7])
    beside = {} if net is None else net.control(pixels, strength).residuals(x, time, text, added)
    return unet(x, time, text, added_cond_kwargs=added, **beside).sample


def test_every_layout_gives_the_same(unet, tmp_path):
    net = files.tiny_controlnet(unet)
    net.save_pretrained(tmp_path / "folder")
    paths = [
        tmp_path / "folder", tmp_path / "folder" / "diffusion_pytorch_model.safetensors",
        files.diffusers_file(tmp_path / "a.safetensors", net), files.ldm_file(tmp_path / "b.safetensors", net),
        files.ldm_file(tmp_path / "c.safetensors", net, prefix=""), files.ldm_file(tmp_path / "d.pth", net),
    ]  # fmt: skip
    first, *others = [answers(unet, load_controlnet(path, unet)) for path in paths]
    for other in others:
        torch.testing.assert_close(other, first, atol=1e-5, rtol=0)
    assert (first - answers(unet, None)).abs().max() > 1e-2


def test_it_is_what_diffusers_itself_gives(unet, tmp_path):
    net = files.tiny_controlnet(unet)
    x, pixels, text = (
        torch.randn(1, 4, 8, 8),
        torch.rand(1, 3, 64, 64),
        torch.randn(1, 5, unet.config.cross_attention_dim),
    )
    added = {"text_embeds": torch.randn(1, WIDTH), "time_ids": torch.ones(1, 6)}
    with torch.inference_mode():
        down, middle = net(x, 7, text, pixels, conditioning_scale=0.6, added_cond_kwargs=added, return_dict=False)
        ours = load_controlnet(files.ldm_file(tmp_path / "a.safetensors", net), unet).control(pixels, 0.6)
        told = ours.residuals(x, torch.tensor([7]), text, added)
    torch.testing.assert_close(told["mid_block_additional_residual"], middle, atol=1e-5, rtol=0)
    for one, other in zip(told["down_block_additional_residuals"], down, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_strength_zero_is_no_controlnet_and_half_is_between(unet, tmp_path):
    net = load_controlnet(files.diffusers_file(tmp_path / "a.safetensors", files.tiny_controlnet(unet)), unet)
    none = answers(unet, None)
    assert torch.equal(answers(unet, net, 0.0), none)
    half, whole = ((answers(unet, net, strength) - none).abs().mean() for strength in (0.5, 1.0))
    assert 0 < half < whole


def test_the_picture_counts(unet, tmp_path):
    net = load_controlnet(files.diffusers_file(tmp_path / "a.safetensors", files.tiny_controlnet(unet)), unet)
    x, text = torch.randn(1, 4, 8, 8), torch.randn(1, 5, unet.config.cross_attention_dim)
    added = {"text_embeds": torch.randn(1, WIDTH), "time_ids": torch.ones(1, 6)}
    told = [
        net.control(torch.full((1, 3, 64, 64), grey), 1.0).residuals(x, torch.tensor([7]), text, added)
        for grey in (0.2, 0.8)
    ]
    assert not torch.equal(*(each["mid_block_additional_residual"] for each in told))


def test_a_union_is_told_that_it_sees_a_tile(tmp_path):
    torch.manual_seed(0)
    unet = tiny_unet(2 * WIDTH, added=WIDTH + 6 * 8)
    net = files.tiny_controlnet(unet, tasks=8)
    net.save_pretrained(tmp_path / "folder")
    loaded = [load_controlnet(path, unet)
              for path in (tmp_path / "folder", files.diffusers_file(tmp_path / "a.safetensors", net))]  # fmt: skip
    folder, file = (answers(unet, each) for each in loaded)
    torch.testing.assert_close(folder, file, atol=1e-5, rtol=0)
    assert (folder - answers(unet, None)).abs().max() > 1e-3
    with torch.no_grad():
        net.task_embedding[5] += 9
        other_task = answers(unet, load_controlnet(files.diffusers_file(tmp_path / "b.safetensors", net), unet))
        net.task_embedding[6] += 9
        this_task = answers(unet, load_controlnet(files.diffusers_file(tmp_path / "c.safetensors", net), unet))
    torch.testing.assert_close(other_task, file, atol=1e-5, rtol=0)
    assert not torch.equal(this_task, file)


def test_a_union_without_tiles_is_refused(tmp_path):
    unet = tiny_unet(2 * WIDTH, added=WIDTH + 6 * 8)
    path = files.diffusers_file(tmp_path / "a.safetensors", files.tiny_controlnet(unet, tasks=6))
    with pytest.raises(ScumbleError, match="knows 6 tasks, and tiles are none of them"):
        load_controlnet(path, unet)


def test_one_for_another_family_is_refused(tmp_path):
    sd15, sdxl = tiny_unet(WIDTH), tiny_unet(2 * WIDTH, added=WIDTH + 6 * 8)
    path = files.diffusers_file(tmp_path / "a.safetensors", files.tiny_controlnet(sd15))
    with pytest.raises(ScumbleError, match="can't be loaded beside this base model"):
        load_controlnet(path, sdxl)


def test_one_that_is_cut_short_is_refused(unet, tmp_path):
    path = files.diffusers_file(tmp_path / "a.safetensors", files.tiny_controlnet(unet))
    tensors = load_file(path)
    del tensors["mid_block.resnets.0.conv1.weight"]
    save_file(tensors, path)
    with pytest.raises(ScumbleError, match="can't be loaded beside this base model"):
        load_controlnet(path, unet)


def test_it_follows_the_unets_precision(unet, tmp_path):
    net = load_controlnet(files.diffusers_file(tmp_path / "a.safetensors", files.tiny_controlnet(unet)), unet)
    fine = answers(unet, net)
    unet.to(torch.bfloat16)
    x, pixels, text = (
        torch.randn(1, 4, 8, 8),
        torch.rand(1, 3, 64, 64),
        torch.randn(1, 5, unet.config.cross_attention_dim),
    )
    added = {"text_embeds": torch.randn(1, WIDTH), "time_ids": torch.ones(1, 6)}
    told = net.control(pixels, 1.0).residuals(x, torch.tensor([7]), text.bfloat16(), added)
    assert told["mid_block_additional_residual"].dtype == torch.bfloat16
    unet.to(torch.float32)
    torch.testing.assert_close(answers(unet, net), fine, atol=0.1, rtol=0.1)


def test_what_is_no_controlnet_is_refused(unet, tmp_path):
    unet.save_pretrained(tmp_path / "unet")
    with pytest.raises(ScumbleError, match="it is a UNet2DConditionModel"):
        load_controlnet(tmp_path / "unet", unet)
