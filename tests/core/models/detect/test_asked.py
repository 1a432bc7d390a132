"""spandrel's own detection, on files whose weights are never read."""

import pytest
import torch
from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact
from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet
from spandrel.architectures.NAFNet.__arch.NAFNet_arch import NAFNet
from spandrel.architectures.SPAN.__arch.span import SPAN
from tests.core.models.detect.layouts import checkpoint, write

from scumble_core.models.detect import detect
from scumble_core.models.detect.asked import ask_spandrel
from scumble_core.models.starter.places import upscaler_path

NETWORKS = {
    "ESRGAN": (lambda: RRDBNet(num_filters=8, num_blocks=1, scale=2), 2),
    "RealESRGAN Compact": (lambda: SRVGGNetCompact(num_feat=8, num_conv=2, upscale=4), 4),
    "SPAN": (lambda: SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2), 2),
    "NAFNet": (lambda: NAFNet(width=8, middle_blk_num=1, enc_blk_nums=[1], dec_blk_nums=[1]), 1),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("wrapper", [None, "params", "params_ema", "state_dict"])
def test_architecture_and_scale_are_told(tmp_path, name, wrapper):
    make, scale = NETWORKS[name]
    state = make().state_dict()
    torch.save(state if wrapper is None else {wrapper: state}, tmp_path / "x.pth")
    found = ask_spandrel(tmp_path / "x.pth")
    assert found is not None and found.kind == "upscaler"
    assert (found.detail["architecture"], found.detail["scale"]) == (name, scale)


@pytest.mark.parametrize("name", ["ESRGAN", "RealESRGAN Compact", "SPAN"])
def test_common_ones_are_known_without_asking(tmp_path, name):
    torch.save(NETWORKS[name][0]().state_dict(), tmp_path / "x.pth")
    assert detect(tmp_path / "x.pth").kind == "upscaler"


def test_the_starters_are_upscalers():
    assert [ask_spandrel(upscaler_path(scale)).detail["scale"] for scale in (2, 4)] == [2, 4]


def test_what_is_no_upscaler_is_none(tmp_path):
    assert ask_spandrel(write(tmp_path / "x.safetensors", checkpoint("sd15"))) is None
    assert ask_spandrel(write(tmp_path / "y.safetensors", {"something.else": (3, 4)})) is None


def test_one_for_grey_pictures_sees_the_colours_one_by_one_and_one_that_makes_grey_of_colours_is_none(tmp_path):
    for given, made in ((1, 1), (3, 1)):
        network = SRVGGNetCompact(num_in_ch=given, num_out_ch=made, num_feat=8, num_conv=2, upscale=1)
        torch.save(network.state_dict(), tmp_path / f"{given}.pth")
    assert ask_spandrel(tmp_path / "1.pth").detail["channels"] == 1
    assert ask_spandrel(tmp_path / "3.pth") is None
