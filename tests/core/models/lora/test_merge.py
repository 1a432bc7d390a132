"""LoRA in the layouts that artists have, merged into real tiny pipelines."""

import copy

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file
from tests.core.models.lora import files
from tests.core.models.tiny import save_tiny

from scumble_core.errors import ScumbleError
from scumble_core.models.lora.merge import merge
from scumble_core.models.lora.names import parts_of

LAYOUTS = {
    "kohya": files.kohya,
    "kohya-ldm": lambda *given: files.kohya(*given, ldm=True),
    "peft": files.peft,
    "diffusers": files.diffusers,
}


@pytest.fixture(scope="module", params=["sd15", "sdxl"])
def tiny(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / request.param
    save_tiny(request.param, folder)
    return request.param, DiffusionPipeline.from_pretrained(folder, local_files_only=True)


@torch.inference_mode()
def seen(pipe):
    """What all parts that a LoRA changes answer."""
    generator = torch.Generator().manual_seed(2)
    ids = torch.tensor([[0, 4, 5, 1, 1, 1, 1, 1]])
    encoders = [each for each in (pipe.text_encoder, getattr(pipe, "text_encoder_2", None)) if each is not None]
    text = torch.cat([encoder(ids, output_hidden_states=True).hidden_states[-1] for encoder in encoders], -1)
    added = None
    if len(encoders) == 2:
        added = {"text_embeds": torch.randn(1, 32, generator=generator), "time_ids": torch.ones(1, 6)}
    x = torch.randn(1, 4, 8, 8, generator=generator)
    return torch.cat([pipe.unet(x, torch.tensor([7]), text, added_cond_kwargs=added).sample.flatten(), text.flatten()])


def copied(pipe):
    """The parts, to be changed."""
    other = copy.copy(pipe)
    for name in ("unet", "text_encoder", "text_encoder_2"):
        if getattr(pipe, name, None) is not None:
            setattr(other, name, copy.deepcopy(getattr(pipe, name)))
    return other


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("weight", [1.0, -0.35])
def test_every_layout_gives_what_a_merge_by_hand_gives(tiny, tmp_path, layout, weight):
    family, pipe = tiny
    found = files.pairs(pipe, family)
    by_hand, ours = copied(pipe), copied(pipe)
    files.merged_by_hand(by_hand, found, weight)
    merge(parts_of(ours), [(LAYOUTS[layout](tmp_path / "lora.safetensors", found, family), weight)])
    torch.testing.assert_close(seen(ours), seen(by_hand), atol=1e-5, rtol=0)
    assert (seen(ours) - seen(pipe)).abs().max() > 1e-2


def test_several_add_up_in_whatever_order(tiny, tmp_path):
    family, pipe = tiny
    first, second = files.pairs(pipe, family, 1), files.pairs(pipe, family, 2)
    paths = [(files.kohya(tmp_path / "a.safetensors", first, family), 0.7),
             (files.peft(tmp_path / "b.safetensors", second, family), -0.4)]  # fmt: skip
    by_hand, ours, other_way = copied(pipe), copied(pipe), copied(pipe)
    files.merged_by_hand(by_hand, first, 0.7)
    files.merged_by_hand(by_hand, second, -0.4)
    merge(parts_of(ours), paths)
    merge(parts_of(other_way), paths[::-1])
    torch.testing.assert_close(seen(ours), seen(by_hand), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen(ours), seen(other_way), atol=1e-6, rtol=0)


def test_weight_zero_changes_nothing(tiny, tmp_path):
    family, pipe = tiny
    ours = copied(pipe)
    merge(parts_of(ours), [(files.kohya(tmp_path / "a.safetensors", files.pairs(pipe, family), family), 0.0)])
    before, after = pipe.unet.state_dict(), ours.unet.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_half_precision_model_is_changed_in_its_own_precision_rounded_once(tiny, tmp_path):
    family, pipe = tiny
    found = files.pairs(pipe, family)
    half = copied(pipe)
    half.unet.to(torch.bfloat16)
    before = half.unet.conv_in.weight.clone()
    merge(parts_of(half), [(files.kohya(tmp_path / "a.safetensors", found, family), 1.0)] * 3)
    down, up = found["unet", "conv_in"]
    change = torch.einsum("or,r...->o...", up.flatten(1), down) * files.ALPHA / files.RANK
    assert torch.equal(half.unet.conv_in.weight, (before.float() + 3 * change).to(torch.bfloat16))


def one_layer(path, **tensors):
    save_file({f"lora_unet_{files.ATTENTION.replace('.', '_')}.{name}": each for name, each in tensors.items()}, path)
    return path


def change_of(pipe, path, layer=files.ATTENTION):
    ours = copied(pipe)
    merge(parts_of(ours), [(path, 1.0)])
    return ours.unet.get_submodule(layer).weight - pipe.unet.get_submodule(layer).weight


def test_loha_is_a_product_of_two(tiny, tmp_path):
    _, pipe = tiny
    rows, columns = pipe.unet.get_submodule(files.ATTENTION).weight.shape
    a, b, c, d = (torch.randn(*shape) for shape in ((rows, 2), (2, columns)) * 2)
    path = one_layer(
        tmp_path / "loha.safetensors", hada_w1_a=a, hada_w1_b=b, hada_w2_a=c, hada_w2_b=d, alpha=torch.tensor(1.0)
    )
    torch.testing.assert_close(change_of(pipe, path), (a @ b) * (c @ d) / 2, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("decomposed", [False, True])
def test_lokr_is_a_kronecker_product(tiny, tmp_path, decomposed):
    _, pipe = tiny
    rows, columns = pipe.unet.get_submodule(files.ATTENTION).weight.shape
    first, left, right = torch.randn(2, 4), torch.randn(rows // 2, 2), torch.randn(2, columns // 4)
    parts = {"lokr_w2": left @ right}
    if decomposed:
        parts = {"lokr_w2_a": left, "lokr_w2_b": right, "alpha": torch.tensor(1.0)}
    path = one_layer(tmp_path / "lokr.safetensors", lokr_w1=first, **parts)
    expected = torch.kron(first, left @ right) / (2 if decomposed else 1)
    torch.testing.assert_close(change_of(pipe, path), expected, atol=1e-5, rtol=1e-4)


def test_a_convolution_in_three_parts_is_put_together(tiny, tmp_path):
    _, pipe = tiny
    name = "down_blocks.0.resnets.0.conv1"
    out, into = pipe.unet.get_submodule(name).weight.shape[:2]
    down, mid, up = torch.randn(2, into, 1, 1), torch.randn(2, 2, 3, 3), torch.randn(out, 2, 1, 1)
    path = tmp_path / "locon.safetensors"
    layer = "lora_unet_down_blocks_0_resnets_0_conv1"
    save_file({f"{layer}.lora_{part}.weight": each for part, each in
               (("down", down), ("mid", mid), ("up", up))}, path)  # fmt: skip
    x = torch.randn(1, into, 5, 5)
    through = torch.nn.functional.conv2d
    expected = through(through(through(x, down), mid, padding=1), up)
    torch.testing.assert_close(through(x, change_of(pipe, path, name), padding=1), expected, atol=1e-4, rtol=1e-4)


def test_a_lora_of_another_network_is_refused(tiny, tmp_path):
    _, pipe = tiny
    path = tmp_path / "other.safetensors"
    save_file({"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": torch.zeros(2, 8),
               "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight": torch.zeros(8, 2)}, path)  # fmt: skip
    with pytest.raises(ScumbleError, match="changes no layer that this model has"):
        merge(parts_of(copied(pipe)), [(path, 1.0)])


def test_a_lora_of_other_widths_is_refused(tiny, tmp_path):
    _, pipe = tiny
    path = one_layer(
        tmp_path / "wide.safetensors", **{"lora_down.weight": torch.zeros(2, 99), "lora_up.weight": torch.zeros(16, 2)}
    )
    with pytest.raises(ScumbleError, match="does not fit this model"):
        merge(parts_of(copied(pipe)), [(path, 1.0)])


@pytest.mark.parametrize("missing", ["lora_up.weight", "lora_down.weight"])
def test_half_a_change_is_refused(tiny, tmp_path, missing):
    family, pipe = tiny
    path = files.kohya(tmp_path / "whole.safetensors", files.pairs(pipe, family), family)
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith(missing))
    save_file({key: each for key, each in tensors.items() if key != name}, path)
    with pytest.raises(ScumbleError, match="does not fit this model"):
        merge(parts_of(copied(pipe)), [(path, 1.0)])
