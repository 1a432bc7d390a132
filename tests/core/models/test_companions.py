"""A model that lacks parts takes them from another of its family; before a job it is known whether there is one."""

from dataclasses import replace

import pytest

from scumble_core.errors import ScumbleError
from scumble_core.models.companions import companion_of, completed, is_whole
from scumble_core.models.detect import Found
from scumble_core.models.index import Entry


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "whole").mkdir()
    return str(tmp_path / "whole")


def entry(found: Found) -> Entry:
    return Entry(found.path, 1, 1, "", "", found, "", False, "")


UNET = Found("/models/unet.safetensors", "transformer", "sdxl", precision="fp16")
FILE = Found("/models/sdxl.safetensors", "base", "sdxl", precision="fp16")
FLUX = Found("/models/flux.safetensors", "base", "flux", "dev", precision="fp8")


def test_a_whole_model_needs_no_other():
    assert is_whole(FILE)
    assert completed(FILE, None) is FILE


def test_folders_lend_first_and_no_other_family_does(folder):
    whole = replace(FILE, path=folder)
    others = [replace(FILE, path="/models/a.safetensors", family="sd15"), replace(FILE, detail={"missing": "vae"})]
    entries = [entry(each) for each in (*others, FILE, whole, UNET)]
    assert companion_of(UNET, entries) == whole
    assert companion_of(UNET, entries[:3]) == FILE
    assert companion_of(UNET, entries[:2]) is None


def test_a_network_alone_becomes_a_base_beside_a_whole_model():
    assert not is_whole(UNET)
    assert completed(UNET, FILE) == replace(UNET, kind="base")
    with pytest.raises(ScumbleError, match=r"unet.safetensors is a diffusion network without its encoders") as caught:
        completed(UNET, None)
    assert caught.value.code == "unknown_model"


def test_a_checkpoint_without_an_encoder_is_told_of():
    lacking = replace(FILE, detail={"missing": "text_encoder"})
    with pytest.raises(ScumbleError, match="comes without its text encoder"):
        completed(lacking, None)
    assert completed(lacking, FILE).missing == ()


def test_a_tokenizer_that_does_not_come_with_scumble_is_lent_by_a_folder(folder):
    assert not is_whole(FLUX)
    with pytest.raises(ScumbleError, match="comes without its tokenizer"):
        completed(FLUX, companion_of(FLUX, [entry(replace(FLUX, path="/models/other.safetensors"))]))
    lender = replace(FLUX, path=folder, variant="schnell")
    assert companion_of(FLUX, [entry(lender)]) == lender


@pytest.mark.parametrize("precision", ["nf4", "Q4_K", "int8"])
def test_quantised_networks_are_refused_by_name(precision):
    with pytest.raises(ScumbleError, match=rf"unet.safetensors is quantised \({precision}\)"):
        completed(replace(UNET, precision=precision), FILE)


@pytest.mark.parametrize("precision", ["Q4_K", "fp16"])
def test_gguf_is_refused_whatever_is_in_it(precision):
    with pytest.raises(
        ScumbleError, match=r"flux.GGUF is a GGUF file, which Scumble can't load: get it as safetensors"
    ):
        completed(Found("/models/flux.GGUF", "transformer", "flux", precision=precision), None)
