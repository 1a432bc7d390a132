import os
import pickle

import pytest
import torch

from scumble_core.errors import ScumbleError
from scumble_core.models.device import best_device
from scumble_core.models.upscalers import Upscaler


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
