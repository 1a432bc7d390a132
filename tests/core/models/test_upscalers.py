"""Whatever spandrel loads, through the code that loads the artists' own files."""

import os
import pickle
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spandrel import ImageModelDescriptor, MaskedImageModelDescriptor, ModelTiling, SizeRequirements
from tests.core.models.tiny_upscalers import BUILDS, save_upscaler

from scumble_core.errors import ScumbleError
from scumble_core.models.device import Device, best_device
from scumble_core.models.upscalers.descriptor import detail_of, loader, refusal
from scumble_core.models.upscalers.facts import facts_of
from scumble_core.models.upscalers.network import Upscaler

CPU = Device("cpu", torch.float32)


class _Malicious:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.system, (f"touch {self.witness}",)


@pytest.mark.parametrize("save", [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_a_malicious_pickle_is_refused_and_never_runs(tmp_path, save):
    witness, path = tmp_path / "it-ran", tmp_path / "model.pth"
    save({"weight": _Malicious(witness)}, path)
    with pytest.raises(ScumbleError, match="could run code") as caught:
        Upscaler(path, best_device())
    assert caught.value.code == "unsafe_model"
    assert not witness.exists()


@pytest.mark.parametrize("name", ["model.pth", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04truncated"])
def test_a_broken_file_is_named(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ScumbleError, match=str(path)):
        Upscaler(path, best_device())


def test_weights_of_no_upscaler_are_refused(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"a.weight": torch.zeros(3)}, path)
    with pytest.raises(ScumbleError, match="not an upscaler"):
        Upscaler(path, best_device())


def test_what_is_named_like_an_upscaler_and_built_otherwise_is_refused_in_one_sentence(tmp_path):
    path = save_upscaler("compact-x2", tmp_path / "model.pth")
    weights = torch.load(path)["params_ema"]
    weights["body.2.weight"] = weights["body.2.weight"][:, :3]
    torch.save(weights, path)
    with pytest.raises(ScumbleError, match=f"{path} looks like an upscaler but can't be built") as caught:
        Upscaler(path, CPU)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("name", BUILDS)
def test_every_architecture_and_either_kind_of_file_enlarges_exactly_by_its_scale(tmp_path, name, ending):
    upscaler = Upscaler(save_upscaler(name, tmp_path / f"model{ending}"), CPU)
    assert upscaler.scale == int(name[-1]) == upscaler.facts.scale
    for height, width in ((1, 1), (1, 37), (40, 3)):
        large = upscaler(torch.rand(2, 3, height, width))
        assert large.shape == (2, 3, height * upscaler.scale, width * upscaler.scale)
        assert large.dtype == torch.float32 and bool(torch.isfinite(large).all())
        assert large.min() >= 0 and large.max() <= 1


def test_either_kind_of_file_gives_the_same_pixels(tmp_path):
    pixels = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(1))
    by_ending = [
        Upscaler(save_upscaler("span-x2", tmp_path / name), CPU)(pixels) for name in ("a.pth", "a.safetensors")
    ]
    assert torch.equal(*by_ending)


def test_a_network_of_one_channel_sees_the_colours_one_by_one(tmp_path):
    upscaler = Upscaler(save_upscaler("compact-grey-x2", tmp_path / "grey.pth"), CPU)
    pixels = torch.rand(1, 3, 9, 7)
    large = upscaler(pixels)
    alone = upscaler(pixels[:, 1:2].expand(-1, 3, -1, -1))
    assert torch.equal(large[:, 1], alone[:, 0]) and not torch.equal(large[:, 0], large[:, 1])


def test_a_network_of_four_channels_sees_an_opaque_picture(tmp_path):
    upscaler = Upscaler(save_upscaler("compact-alpha-x2", tmp_path / "alpha.pth"), CPU)
    pixels = torch.full((1, 3, 8, 8), 0.5)
    assert (upscaler(pixels) - 0.5).abs().max() < 0.2 and upscaler(pixels).shape[1] == 3


def _descriptor(kind=ImageModelDescriptor, **changed):
    network = torch.nn.Conv2d(3, 3, 1)
    values = {
        "model": network, "state_dict": network.state_dict(), "architecture": SimpleNamespace(name="one", id="one"),
        "purpose": "SR", "tags": [], "supports_half": True, "supports_bfloat16": True, "scale": 1,
        "input_channels": 3, "output_channels": 3, "size_requirements": SizeRequirements(minimum=20, multiple_of=8),
    }  # fmt: skip
    values |= changed
    if kind is MaskedImageModelDescriptor:
        del values["scale"]
    return kind(**values)


@pytest.mark.parametrize(
    ("descriptor", "why"),
    [
        (_descriptor(purpose="FaceSR"), "single faces"),
        (_descriptor(MaskedImageModelDescriptor, purpose="Inpainting"), "needs a mask"),
        (_descriptor(output_channels=1), "makes 1 channels of 3"),
        (_descriptor(input_channels=5), "makes 3 channels of 5"),
        (_descriptor(input_channels=4), "makes 3 channels of 4"),
    ],
)
def test_networks_for_another_task_are_refused_with_what_they_are_for(descriptor, why):
    assert why in refusal(descriptor)
    assert refusal(_descriptor()) == ""


def test_an_index_keeps_what_the_planner_needs_of_a_network():
    detail = detail_of(_descriptor(tiling=ModelTiling.DISCOURAGED, scale=2))
    facts = facts_of(detail)
    assert (facts.scale, facts.multiple, facts.minimum, facts.whole) == (2, 8, 32, True)
    assert facts_of({}).scale is None and not facts_of({"tiling": "supported"}).whole


@given(st.integers(1, 128), st.integers(0, 600))
@settings(deadline=None)
def test_tiles_begin_and_end_where_a_network_wants_them_to(multiple, minimum):
    facts = facts_of({"scale": 2, "multiple": multiple, "minimum": minimum})
    assert facts.minimum >= minimum and facts.overlap % facts.multiple == 0
    assert facts.multiple % multiple == 0 or multiple > 16  # larger ones pad each tile by themselves


@pytest.mark.parametrize(
    ("device", "bears", "precision"),
    [
        (Device("cpu", torch.bfloat16), {}, "float32"),
        (Device("cpu", torch.bfloat16, chosen=True), {}, "bfloat16"),
        (Device("cpu", torch.bfloat16, chosen=True), {"supports_bfloat16": False}, "float32"),
        (Device("cuda", torch.float16), {}, "float16"),
        (Device("cuda", torch.float16), {"supports_half": False}, "float32"),
        (Device("mps", torch.float16), {"supports_half": False, "supports_bfloat16": False}, "float32"),
        (Device("xpu", torch.bfloat16, chosen=True), {"supports_half": False}, "bfloat16"),
        (Device("cuda", torch.float32), {}, "float32"),
    ],
)
def test_half_precision_is_taken_where_device_and_network_bear_it(device, bears, precision):
    from scumble_core.models.upscalers.network import _dtype

    descriptor = _descriptor(**bears)
    found = _dtype(device, descriptor.supports_half, descriptor.supports_bfloat16)
    assert str(found) == f"torch.{precision}"


def test_what_overflows_in_half_precision_is_done_again_in_full(tmp_path, monkeypatch):
    upscaler = Upscaler(save_upscaler("compact-x2", tmp_path / "model.pth"), Device("cpu", torch.bfloat16, chosen=True))
    pixels, real, types = torch.rand(1, 3, 8, 8), upscaler._descriptor, []

    def overflowing(given):
        types.append(torch.is_autocast_enabled("cpu"))
        return real(given) * (float("nan") if types[-1] else 1)

    monkeypatch.setattr(upscaler, "_descriptor", overflowing)
    monkeypatch.setattr(overflowing, "input_channels", 3, raising=False)
    assert torch.equal(upscaler(pixels), real(pixels)) and types == [True, False]


def test_extra_architectures_are_known_where_their_package_is_installed():
    extra = pytest.importorskip("spandrel_extra_arches")
    known = {each.architecture.id for each in loader().registry}
    assert {each.architecture.id for each in extra.EXTRA_REGISTRY} <= known


def test_without_that_package_the_others_are_known(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "spandrel_extra_arches", None)
    assert {"ESRGAN", "DAT"} <= {each.architecture.id for each in loader().registry}
