"""LoRA on the command line."""

import pytest

from scumble_core.cli.options import make_request
from scumble_core.errors import RequestError
from scumble_core.request import Lora


def loras(*texts):
    return make_request({}, None, None, list(texts)).loras


def test_a_name_or_a_path_may_have_a_weight_after_its_last_equals_sign():
    assert loras("a") == (Lora("a", 1.0),)
    assert loras("a=0.5", "b=-1") == (Lora("a", 0.5), Lora("b", -1.0))
    assert loras("/x=y/b.safetensors") == (Lora("/x=y/b.safetensors", 1.0),)
    assert loras("/x=y/b.safetensors=.25") == (Lora("/x=y/b.safetensors", 0.25),)
    assert make_request({}, None, None).loras == ()


@pytest.mark.parametrize("text", ["a=99", "=1", "a=nan"])
def test_a_weight_or_a_name_that_cannot_be_is_refused(text):
    with pytest.raises(RequestError, match="loras"):
        loras(text)
