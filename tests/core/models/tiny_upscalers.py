"""Networks of a few thousand weights in spandrel's architectures, saved as artists have them.

The compact ones give back the picture by nearest pixels and a little of their own: so it is known where things should
come out.
"""

import torch
from safetensors.torch import save_file
from spandrel.architectures.Compact import Compact as SRVGGNetCompact
from spandrel.architectures.DAT import DAT
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.SCUNet import SCUNet
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwinIR import SwinIR


def _swin(scale):
    return SwinIR(
        img_size=16, window_size=8, depths=[2], embed_dim=12, num_heads=[2], mlp_ratio=2, upscale=scale,
        upsampler="pixelshuffledirect", resi_connection="1conv", img_range=1.0,
    )  # fmt: skip


def _dat(scale):
    return DAT(
        img_size=16, split_size=[8, 8], depth=[2], embed_dim=32, num_heads=[2], expansion_factor=2.0, upscale=scale,
        upsampler="pixelshuffledirect", resi_connection="1conv", img_range=1.0,
    )  # fmt: skip


BUILDS = {
    "esrgan-x4": lambda: ESRGAN(scale=4, num_filters=8, num_blocks=1),
    "esrgan-x2": lambda: ESRGAN(scale=2, num_filters=8, num_blocks=1),
    "esrgan-x1": lambda: ESRGAN(scale=1, num_filters=8, num_blocks=1),
    "compact-x4": lambda: SRVGGNetCompact(num_feat=8, num_conv=2, upscale=4),
    "compact-x2": lambda: SRVGGNetCompact(num_feat=8, num_conv=2, upscale=2),
    "compact-x1": lambda: SRVGGNetCompact(num_feat=8, num_conv=2, upscale=1),
    "compact-alpha-x2": lambda: SRVGGNetCompact(num_in_ch=4, num_out_ch=4, num_feat=8, num_conv=2, upscale=2),
    "compact-grey-x2": lambda: SRVGGNetCompact(num_in_ch=1, num_out_ch=1, num_feat=8, num_conv=2, upscale=2),
    "span-x2": lambda: SPAN(num_in_ch=3, num_out_ch=3, feature_channels=12, upscale=2),
    "swinir-x2": lambda: _swin(2),
    "dat-x2": lambda: _dat(2),
    "scunet-x1": lambda: SCUNet(in_nc=3, config=[1, 1, 1, 1, 1, 1, 1], dim=64, input_resolution=64),
}


def save_upscaler(name, path, gain=0.02):
    """Random weights; a compact network adds what it has learnt to the picture, times `gain`."""
    torch.manual_seed(0)
    network = BUILDS[name]().eval()
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    if name.startswith("compact"):
        for key in ("body.6.weight", "body.6.bias"):
            weights[key] *= gain
    if path.suffix == ".safetensors":
        save_file({key: value.contiguous() for key, value in weights.items()}, path)
    else:
        torch.save({"params_ema": weights}, path)
    return path
