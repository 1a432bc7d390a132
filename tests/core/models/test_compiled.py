"""Compiled networks: what they predict stays the same, and where nothing can be compiled they run as they are."""

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from tests.core.models.tiny import save_tiny

from scumble_core.models.cache import ModelCache
from scumble_core.models.compiled import compile_blocks
from scumble_core.models.device import Device
from scumble_core.models.memory.wishes import VARIABLE
from scumble_core.picture.geometry import Extent


def broken(_graph, _inputs):
    raise RuntimeError("no compiler here")


@pytest.fixture
def unet():
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=(32, 64), layers_per_block=1, cross_attention_dim=16, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8,
    ).eval()  # fmt: skip


@pytest.mark.parametrize("backend", ["eager", broken])
@pytest.mark.parametrize("sides", [(8, 8), (16, 24)])
def test_a_compiled_network_predicts_what_it_did_in_every_size(unet, backend, sides):
    given = torch.randn(1, 4, *sides), torch.tensor(500), torch.randn(1, 7, 16)
    with torch.inference_mode():
        before = unet(*given).sample
        compile_blocks(unet, backend)
        assert torch.allclose(unet(*given).sample, before, atol=1e-5)


def test_a_network_without_repeated_blocks_is_left_as_it_is(caplog):
    compile_blocks(AutoencoderKL())
    assert "AutoencoderKL is not compiled" in caplog.text


@pytest.mark.parametrize("wish", ["", "compile=blocks"])
def test_models_are_compiled_where_the_artist_asks_for_it(tmp_path, monkeypatch, wish):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv(VARIABLE, wish)
    save_tiny("sdxl", tmp_path / "tiny")
    model = ModelCache(Device("cpu", torch.float32)).latent_model(str(tmp_path / "tiny"))
    blocks = [part for part in model.pipe.unet.modules() if type(part).__name__ == "BasicTransformerBlock"]
    assert [part._compiled_call_impl is not None for part in blocks] == [bool(wish)] * len(blocks) != []
    with torch._dynamo.config.patch(disable=True):  # compiling itself takes half a minute
        model.denoise(torch.zeros(1, 4, 8, 8), 0.5, model.encode_prompt("", Extent(64, 64)))
