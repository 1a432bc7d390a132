"""The names of full-size networks, as files that artists have use them."""

import pytest
import torch
from diffusers import UNet2DConditionModel

from scumble_core.models.ldm_names import from_ldm
from scumble_core.models.lora.names import Layers

SDXL = {
    "block_out_channels": (320, 640, 1280), "cross_attention_dim": 2048, "transformer_layers_per_block": (1, 2, 10),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), "attention_head_dim": (5, 10, 20),
    "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}  # fmt: skip


@pytest.fixture(scope="module", params=[SDXL, {}], ids=["sdxl", "sd15"])
def layers(request):
    with torch.device("meta"):
        network = UNet2DConditionModel(**request.param)
    return Layers({"network": network}), network


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
         "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"),
        ("lora_unet_input_blocks_8_1_transformer_blocks_0_attn1_to_out_0",
         "down_blocks.2.attentions.1.transformer_blocks.0.attn1.to_out.0"),
        ("lora_unet_middle_block_1_transformer_blocks_0_ff_net_2",
         "mid_block.attentions.0.transformer_blocks.0.ff.net.2"),
        ("lora_unet_output_blocks_5_1_proj_out", "up_blocks.1.attentions.2.proj_out"),
        ("lora_unet_input_blocks_3_0_op", "down_blocks.0.downsamplers.0.conv"),
        ("lora_unet_input_blocks_4_0_skip_connection", "down_blocks.1.resnets.0.conv_shortcut"),
        ("lora_unet_output_blocks_5_2_conv", "up_blocks.1.upsamplers.0.conv"),
        ("lora_unet_output_blocks_8_0_in_layers_2", "up_blocks.2.resnets.2.conv1"),
        ("lora_unet_down_blocks_1_attentions_0_proj_in", "down_blocks.1.attentions.0.proj_in"),
        ("unet.down_blocks.1.attentions.1.transformer_blocks.0.attn2.processor.to_out",
         "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_out.0"),
        ("base_model.model.mid_block.attentions.0.transformer_blocks.0.attn2.to_v",
         "mid_block.attentions.0.transformer_blocks.0.attn2.to_v"),
        ("diffusion_model.input_blocks.4.1.proj_in", "down_blocks.1.attentions.0.proj_in"),
    ],
)  # fmt: skip
def test_known_names_mean_known_layers(layers, name, path):
    known, network = layers
    assert known.find(name) is network.get_submodule(path)


def test_names_that_mean_nothing_find_nothing(layers):
    known, _ = layers
    for name in ("lora_unet_input_blocks_99_1_proj_in", "lora_te_text_model_encoder_layers_0_mlp_fc1", "", "x.y"):
        assert known.find(name) is None


def test_other_names_are_left_as_they_are():
    assert from_ldm("down_blocks_0_resnets_0_conv1", 2) == "down_blocks_0_resnets_0_conv1"
