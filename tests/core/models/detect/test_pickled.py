"""Pickled weights: described as torch would load them, and nothing in them ever run."""

import collections
import io
import os
import pickle
import struct
import subprocess
import zipfile

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import detect
from scumble_core.models.tensors import read_tensors

NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.bool: "BOOL"}


def state(dtype=torch.float32):
    return collections.OrderedDict(
        {
            "a.weight": torch.zeros(3, 4, dtype=dtype),
            "a.bias": torch.zeros(3, dtype=dtype),
            "n": torch.zeros((), dtype=dtype),
        }
    )


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_names_shapes_and_types_are_torchs(tmp_path, dtype, zipped, protocol):
    path = tmp_path / "x.pth"
    torch.save(state(dtype), path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    read = read_tensors(path)
    assert {name: each.shape for name, each in read.named.items()} == {"a.weight": (3, 4), "a.bias": (3,), "n": ()}
    assert {each.dtype for each in read.named.values()} == {NAMES[dtype]}


def test_tensors_are_found_in_what_trainers_put_around_them(tmp_path):
    around = {
        "state_dict": state(), "epoch": 3, "lr": 1e-4, "done": True, "seen": {1, 2}, "words": ["a"], "nothing": None,
        "parameter": torch.nn.Parameter(torch.zeros(2)), "counts": collections.Counter("aab"), "size": torch.Size([2]),
    }  # fmt: skip
    torch.save(around, tmp_path / "x.ckpt")
    read = read_tensors(tmp_path / "x.ckpt")
    assert read.shape("state_dict.a.weight") == (3, 4) and read.shape("parameter") == (2,)


def test_views_share_their_storage_and_are_no_lie_about_its_size(tmp_path):
    whole = torch.zeros(100)
    torch.save({"a": whole, "b": whole[10:20], "c": whole.view(10, 10)}, tmp_path / "x.pt")
    assert read_tensors(tmp_path / "x.pt").shape("c") == (10, 10)


def test_an_embedding_of_the_web_ui_is_known(tmp_path):
    torch.save({"string_to_param": {"*": torch.zeros(5, 768)}, "name": "mine", "step": 500}, tmp_path / "mine.pt")
    found = detect(tmp_path / "mine.pt")
    assert (found.kind, found.family, found.detail["tokens"]) == ("embedding", "sd15", 5)


class Evil:
    def __init__(self, call, *arguments):
        self.reduced = (call, arguments)

    def __reduce__(self):
        return self.reduced


def evils(mark):
    command = f"touch {mark}"
    return {
        "a shell": Evil(os.system, command),
        "a process": Evil(subprocess.Popen, ["touch", str(mark)]),
        "evaluation": Evil(eval, f"open({str(mark)!r}, 'w')"),
        "execution": Evil(exec, f"open({str(mark)!r}, 'w')"),
        "a file": Evil(open, str(mark), "w"),
        "an attribute": Evil(getattr, collections.OrderedDict, "fromkeys"),
        "torch's own loader": Evil(torch.load, str(mark)),
        "a class": Evil(type, "X", (), {}),
    }


KINDS = list(evils("x"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["zip", "legacy", "bare", "below"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_malicious_file_is_named_and_never_run(tmp_path, kind, how, protocol):
    mark, path = tmp_path / "ran", tmp_path / "evil.ckpt"
    evil = evils(mark)[kind]
    if how == "bare":
        path.write_bytes(pickle.dumps(evil, protocol))
    elif how == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"state_dict": evil}, protocol))
    elif how == "legacy":
        head = b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
        path.write_bytes(head + pickle.dumps(evil, protocol))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps([{"a": [collections.OrderedDict(x=evil)]}], protocol))
    with pytest.raises(ScumbleError) as caught:
        read_tensors(path)
    assert str(path) in caught.value.message
    # With the oldest protocol a class is refused by an instruction that plain weights don't have.
    assert caught.value.code == "unsafe_model" and "could run code" in caught.value.message
    assert not mark.exists()


def test_code_that_hides_behind_an_allowed_name_is_not_run(tmp_path):
    # GLOBAL "torch.FloatStorage __builtins__": an attribute of what is allowed is not allowed.
    for name in (
        b"ctorch.FloatStorage\n__class__\n",
        b"ctorch\nhub.load\n",
        b"c_codecs\nopen\n",
        b"ccollections\nabc\n",
    ):
        with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02" + name + b"(tR.")
        with pytest.raises(ScumbleError, match="could run code"):
            read_tensors(tmp_path / "x.pth")


def zipped(path, pickled, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
    return path


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = zipped(tmp_path / "bomb.pth", b"\x80\x02" + b"N0" * 60_000_000 + b"N.", zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ScumbleError, match="list of tensors has more than"):
        read_tensors(path)


def test_a_pickle_of_endless_work_is_bounded(tmp_path):
    path = zipped(tmp_path / "slow.pth", b"\x80\x02" + b"N0" * 2_000_000 + b"N.")
    with pytest.raises(ScumbleError, match="list of tensors is too long"):
        read_tensors(path)


def test_what_doubles_itself_costs_nothing(tmp_path):
    # A tuple of two of a tuple of two ...: printing, copying or hashing it would take for ever.
    doubling = b"\x80\x02}" + b"N" + b"0" + b"N" + b"q\x000" + b"".join(b"h\x00h\x00\x86q\x000" for _ in range(200))
    path = zipped(tmp_path / "x.pth", doubling + b"h\x00h\x00s.")
    with pytest.raises(ScumbleError, match="holds no weights"):
        read_tensors(path)


def test_more_weights_than_the_file_has_are_noticed(tmp_path):
    torch.save({"a": torch.zeros(10)}, tmp_path / "x.pth")
    with zipfile.ZipFile(tmp_path / "x.pth") as archive:
        pickled = archive.read("x/data.pkl")
    lied = pickled.replace(b"K\n", b"J" + struct.pack("<i", 2**30))
    with pytest.raises(ScumbleError, match="cut off: it would have"):
        read_tensors(zipped(tmp_path / "lies.pth", lied))


@pytest.mark.parametrize("legacy", [True, False])
def test_cutting_off_a_file_is_noticed(tmp_path, legacy):
    buffer = io.BytesIO()
    torch.save(state(), buffer, _use_new_zipfile_serialization=not legacy)
    whole = buffer.getvalue()
    end = len(whole) - (0 if legacy else 60)
    for length in (*range(0, end, 37), *range(end - 30, end)):
        (tmp_path / "cut.ckpt").write_bytes(whole[:length])
        with pytest.raises(ScumbleError):
            read_tensors(tmp_path / "cut.ckpt")


@given(data=st.binary(max_size=120), how=st.sampled_from(["zip", "bare", "raw"]))
def test_no_bytes_do_more_than_be_refused(tmp_path_factory, data, how):
    path = tmp_path_factory.mktemp("files") / "x.pt"
    if how == "zip":
        zipped(path, b"\x80\x02" + data)
    else:
        path.write_bytes(b"\x80\x02" + data if how == "bare" else data)
    try:
        read_tensors(path)
    except ScumbleError as error:
        assert str(path) in error.message


@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_no_changed_byte_does_more_than_be_refused(tmp_path_factory, place, value):
    buffer = io.BytesIO()
    torch.save(state(), buffer)
    with zipfile.ZipFile(buffer) as archive:
        pickled = bytearray(archive.read("archive/data.pkl"))
    pickled[place % len(pickled)] = value
    path = zipped(tmp_path_factory.mktemp("files") / "x.pt", bytes(pickled))
    try:
        read_tensors(path)
    except ScumbleError as error:
        assert str(path) in error.message
