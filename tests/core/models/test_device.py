"""What a device says of itself, and which is taken; cards that aren't here are played by facts."""

from types import SimpleNamespace

import pytest
import torch

from scumble_core.errors import ScumbleError
from scumble_core.models.device import (
    Device,
    best_device,
    device_names,
    device_of,
    free_memory,
    is_device_lost,
    is_out_of_memory,
    sent,
    wished,
)


def test_work_is_of_another_kind_with_another_number_of_threads_on_the_cpu_alone():
    cpu, cuda = Device("cpu", torch.bfloat16), Device("cuda", torch.float16)
    before = torch.get_num_threads()
    kinds = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        kinds.append((cpu.kind, cuda.kind))
    torch.set_num_threads(before)
    assert kinds[0][0] != kinds[1][0] and kinds[0][1] == kinds[1][1]
    assert Device("cpu", torch.float32).kind != cpu.kind


def test_the_computers_memory_is_known_here():
    assert Device("cpu", torch.float32).memory > 2**28


class Card:
    """As torch.cuda and torch.xpu answer."""

    def __init__(self, count, total=8 * 2**30, free=5 * 2**30):
        self._count, self._total, self._free = count, total, free
        self.emptied, self.current = 0, None

    def is_available(self):
        return self._count > 0

    def device_count(self):
        return self._count

    def get_device_name(self, _name):
        return "A card"

    def get_device_properties(self, _name):
        return SimpleNamespace(total_memory=self._total)

    def mem_get_info(self, _name):
        return self._free, self._total

    def empty_cache(self):
        self.emptied += 1

    def set_device(self, name):
        self.current = name


@pytest.fixture
def cards(monkeypatch):
    def put(cuda=0, xpu=0, mps=False, hip=None):
        found = {"cuda": Card(cuda), "xpu": Card(xpu)}
        for name, card in found.items():
            monkeypatch.setattr(torch, name, card)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch.version, "hip", hip)
        return found

    return put


@pytest.mark.parametrize(
    ("here", "name", "names"),
    [
        ({"cuda": 2, "xpu": 1, "mps": True}, "cuda", ("cuda:0", "cuda:1")),
        ({"xpu": 2, "mps": True}, "xpu", ("xpu:0", "xpu:1")),
        ({"mps": True}, "mps", ("mps",)),
        ({}, "cpu", ("cpu",)),
    ],
)
def test_the_best_device_is_taken(cards, here, name, names):
    cards(**here)
    assert best_device().name == name and device_names() == names


@pytest.mark.parametrize(
    ("here", "kind"), [({"cuda": 1}, "cuda"), ({"cuda": 1, "hip": "6.2"}, "rocm"), ({"xpu": 1}, "xpu")]
)
def test_a_card_tells_its_facts_and_keeps_weights_out_until_they_are_needed(cards, here, kind):
    found = cards(**here)
    device = device_of(device_names()[0])
    facts = device.facts
    assert (facts.kind, facts.title, facts.total, facts.free) == (kind, "A card", 8 * 2**30, 5 * 2**30)
    assert facts.precision == "float16" and not facts.is_shared and facts.name == "A card 8 GB"
    assert device.storage == "cpu" and device.kind == "A card torch.float16"
    card = found[device.type]
    free_memory(device.name)
    assert card.emptied == 1 and card.current == device.name


def test_a_device_that_is_not_here_is_refused(cards):
    cards(xpu=1)
    with pytest.raises(ScumbleError, match="There is no device cuda here: choose of cpu, xpu, xpu:0"):
        device_of("cuda")


def test_the_artists_number_type_is_taken_and_known_to_be_theirs():
    device = Device("cuda", torch.float16)
    assert wished(device, "") == device
    assert wished(device, "bfloat16") == Device("cuda", torch.bfloat16, chosen=True)


def test_work_of_compiled_networks_is_not_taken_for_that_of_others(cards):
    cards(cuda=1)
    for device in (Device("cuda", torch.float16), Device("cpu", torch.float32)):
        compiled = wished(device, "", compiles=True)
        assert compiled.compiles and compiled.kind == f"{device.kind} compiled"


def test_what_goes_to_a_card_is_pinned_and_not_waited_for(monkeypatch):
    """No card is needed to see which copy is asked for."""
    asked = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: asked.append("pinned") or self)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device, **how: asked.append((device, how)) or self)
    sent(torch.zeros(3), "cuda:1")
    sent(torch.zeros(3), "mps")
    assert asked == ["pinned", ("cuda:1", {"non_blocking": True}), ("mps", {})]


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("HIP error: launch failure", True), ("Native API failed: UR_RESULT_ERROR_DEVICE_LOST", True),
        ("CUDA error: an illegal memory access", True), ("XPU out of memory. Tried to allocate 2 GiB", False),
    ],
)  # fmt: skip
def test_a_lost_device_is_told_from_a_full_one_on_every_kind_of_card(text, lost):
    error = RuntimeError(text)
    assert is_device_lost(error) == lost and is_out_of_memory(error) != lost
