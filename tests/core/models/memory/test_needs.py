"""How much memory a model takes is counted from its files, with what another lends it."""

from dataclasses import replace

import pytest

from scumble_core.models.detect import Found
from scumble_core.models.memory.needs import needs_of_found

GB = 10**9
SDXL = Found("/m/sdxl.safetensors", "base", "sdxl", precision="fp16", bytes=7 * GB, detail={"network_bytes": 5 * GB})


def test_the_largest_part_is_the_network_where_its_bytes_are_known():
    assert needs_of_found("x", SDXL).largest == 5 * GB
    unknown = needs_of_found("x", replace(SDXL, detail={}))
    assert unknown.weights == 7 * GB and 5 * GB < unknown.largest < 6 * GB


def test_of_a_checkpoint_with_averages_one_network_counts():
    needs = needs_of_found("x", replace(SDXL, bytes=12 * GB, detail={"network_bytes": 5 * GB, "ema": True}))
    assert (needs.weights, needs.largest) == (7 * GB, 5 * GB)


@pytest.mark.parametrize(("precision", "lent"), [("fp16", 2 * GB), ("fp32", 4 * GB)])
def test_a_network_alone_counts_with_what_another_lends_it(precision, lent):
    network = Found("/m/unet.safetensors", "transformer", "sdxl", precision=precision, bytes=5 * GB)
    needs = needs_of_found("x", network, SDXL)
    assert (needs.weights, needs.largest) == (5 * GB + lent, 5 * GB)


def test_weights_of_8_bits_are_16_once_they_are_loaded():
    assert needs_of_found("x", Found("/m/flux.safetensors", "transformer", "flux", precision="fp8", bytes=12 * GB)) == (
        needs_of_found("x", Found("/m/flux.safetensors", "transformer", "flux", precision="fp16", bytes=24 * GB))
    )


def test_what_goes_beside_a_base_counts_whole():
    needs = needs_of_found("x", Found("/m/control.safetensors", "controlnet", "sdxl", precision="fp16", bytes=2 * GB))
    assert needs.weights == needs.largest == 2 * GB
