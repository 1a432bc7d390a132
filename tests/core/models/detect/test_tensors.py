"""Heads of .safetensors and GGUF files: as the libraries read them, and every lie noticed."""

import json
import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tests.core.models.detect.layouts import FLUX, write

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import detect
from scumble_core.models.tensors import read_sharded, read_tensors

SHAPES = st.dictionaries(
    st.text(min_size=1, max_size=12), st.lists(st.integers(0, 4), max_size=4).map(tuple), min_size=1, max_size=6
)
# What JSON can hold, with names that occur in heads.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=8)
    | st.sampled_from(["F32", "BF16", "F4"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "__metadata__", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def headed(path, head, body=b""):
    data = head if isinstance(head, bytes) else json.dumps(head).encode()
    path.write_bytes(len(data).to_bytes(8, "little") + data + body)
    return path


def tensor(shape=(2,), dtype="F32", offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@given(shapes=SHAPES)
def test_names_shapes_and_types_are_the_librarys(tmp_path_factory, shapes):
    path = tmp_path_factory.mktemp("files") / "x.safetensors"
    kinds = [np.float32, np.float16, np.uint8]
    arrays = {name: np.zeros(shape, kinds[place % 3]) for place, (name, shape) in enumerate(shapes.items())}
    save_file(arrays, path, {"format": "pt"})
    read = read_tensors(path)
    assert {name: each.shape for name, each in read.named.items()} == shapes
    assert {each.dtype for each in read.named.values()} <= {"F32", "F16", "U8"}
    assert read.bytes == path.stat().st_size and read.metadata == {"format": "pt"}


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        (b"", b"", "no JSON"),
        (b"{", b"", "no JSON"),
        (b"[1]", b"", "no JSON object"),
        (b"\xff\xfe", b"", "no JSON"),
        (b"[" * 200_000, b"", "no JSON"),
        (b'{"a": 1, "a": 2}', b"", "occurs twice"),
        ({"a": 3}, b"", "not described"),
        ({"a": tensor(dtype="F99")}, b"12345678", "unknown type F99"),
        ({"a": tensor(shape=(-2,))}, b"12345678", "no shape that can be"),
        ({"a": tensor(shape=(True, 2))}, b"12345678", "no shape that can be"),
        ({"a": tensor(shape=(2**40, 2**40))}, b"12345678", "has not the bytes"),
        ({"a": tensor(offsets=(0,))}, b"12345678", "lies nowhere"),
        ({"a": tensor(offsets=(8, 0))}, b"12345678", "has not the bytes"),
        ({"a": tensor()}, b"1234", "cut off: 4 bytes"),
        ({"a": tensor()}, b"123456789", "belong to nothing"),
        ({"a": tensor(), "b": tensor()}, b"12345678", "overlap or leave gaps"),
        ({"a": tensor(offsets=(8, 16))}, b"1" * 16, "overlap or leave gaps"),
        ({"__metadata__": [1], "a": tensor()}, b"12345678", "metadata"),
    ],
)
def test_a_head_that_lies_is_noticed(tmp_path, head, body, said):
    path = headed(tmp_path / "x.safetensors", head, body)
    with pytest.raises(ScumbleError, match=said) as caught:
        read_tensors(path)
    assert str(path) in caught.value.message and caught.value.code == "unknown_model"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"123", "cut off"),
        ((2**63).to_bytes(8, "little"), "head of 9,223,372,036,854,775,808 bytes"),
        ((100_000_001).to_bytes(8, "little") + b"{}", "head of 100,000,001 bytes"),
        ((1000).to_bytes(8, "little") + b"{}", "its head alone"),
        (b"nothing of the kind, but long enough", "no safetensors file"),
    ],
)
def test_the_length_of_a_head_is_not_believed(tmp_path, data, said):
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(ScumbleError, match=said):
        read_tensors(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!DOCTYPE html><html>Not found</html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (b"GGUF\x03\0\0\0" + b"\0" * 16, "a GGUF file by another name"),
    ],
)
@pytest.mark.parametrize("suffix", ["safetensors", "ckpt"])
def test_what_often_goes_by_a_models_name_is_told(tmp_path, data, said, suffix):
    (tmp_path / f"x.{suffix}").write_bytes(data)
    with pytest.raises(ScumbleError, match=said):
        read_tensors(tmp_path / f"x.{suffix}")


def test_weights_by_each_others_names_are_told(tmp_path):
    write(tmp_path / "x.ckpt", {"a": (2, 2)})
    with pytest.raises(ScumbleError, match=r"rename it to \.safetensors"):
        read_tensors(tmp_path / "x.ckpt")
    torch.save({"a": torch.zeros(2)}, tmp_path / "x.safetensors")
    with pytest.raises(ScumbleError, match=r"rename it to \.ckpt"):
        read_tensors(tmp_path / "x.safetensors")


@given(head=VALUES, body=st.binary(max_size=32))
def test_no_head_does_more_than_be_refused(tmp_path_factory, head, body):
    path = headed(tmp_path_factory.mktemp("files") / "x.safetensors", head, body)
    try:
        assert detect(path).path == str(path)
    except ScumbleError as error:
        assert str(path) in error.message


@given(data=st.binary(max_size=200), suffix=st.sampled_from([".safetensors", ".gguf"]))
def test_no_bytes_do_more_than_be_refused(tmp_path_factory, data, suffix):
    path = tmp_path_factory.mktemp("files") / f"x{suffix}"
    path.write_bytes((b"GGUF" if suffix == ".gguf" else b"") + data)
    try:
        read_tensors(path)
    except ScumbleError as error:
        assert str(path) in error.message


def test_cutting_off_any_part_of_a_file_is_noticed(tmp_path):
    whole = write(tmp_path / "x.safetensors", {"a": (4, 4), "b": (3,)}).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.safetensors").write_bytes(whole[:length])
        with pytest.raises(ScumbleError, match="can't be read as a model"):
            read_tensors(tmp_path / "cut.safetensors")


@pytest.mark.parametrize("name", ["x.safetensors", "x.ckpt", "x.gguf", "x.docx"])
def test_what_is_not_there_or_no_file_is_said(tmp_path, name):
    with pytest.raises(ScumbleError, match="There is no model file at"):
        read_tensors(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(ScumbleError, match="no regular file"):
        read_tensors(tmp_path / name)


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(shapes, kind=12):
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), 3)
    head += text("general.architecture") + struct.pack("<I", 8) + text("flux")
    head += text("some.number") + struct.pack("<II", 4, 7)
    head += text("some.words") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    for name, shape in shapes.items():
        head += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", size) for size in shape[::-1])
        head += struct.pack("<IQ", kind, 0)
    return head


def test_a_quantised_transformer_is_known_by_its_names(tmp_path):
    (tmp_path / "x.gguf").write_bytes(gguf(FLUX))
    found = detect(tmp_path / "x.gguf")
    assert (found.kind, found.family, found.variant, found.precision) == ("transformer", "flux", "schnell", "Q4_K")


def test_a_quantised_file_that_is_cut_off_is_noticed(tmp_path):
    whole = gguf(FLUX)
    for length in range(0, len(whole), 7):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        with pytest.raises(ScumbleError, match="can't be read as a model"):
            read_tensors(tmp_path / "cut.gguf")


def test_shards_are_read_as_one(tmp_path):
    write(tmp_path / "m-1.safetensors", {"a": (2, 2)})
    write(tmp_path / "m-2.safetensors", {"b": (3,)})
    index = tmp_path / "m.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}))
    read = read_sharded(index)
    assert {name: each.shape for name, each in read.named.items()} == {"a": (2, 2), "b": (3,)}


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ({"a": "../x.safetensors"}, "outside of its folder"),
        ({"a": "/etc/x.safetensors"}, "outside of its folder"),
        ({"a": "gone.safetensors"}, "There is no model file"),
        ({"a": "m-1.safetensors", "b": "m-1.safetensors"}, "does not hold b"),
    ],
)
def test_a_list_of_shards_that_lies_is_noticed(tmp_path, listed, said):
    write(tmp_path / "m-1.safetensors", {"a": (2, 2)})
    index = tmp_path / "m.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": listed}))
    with pytest.raises(ScumbleError, match=said):
        read_sharded(index)
