"""Networks that share a card. There is none here: the computer's memory plays it, and networks tell of their moves."""

import pytest
import torch
from diffusers import AutoencoderKL
from torch import nn

from scumble_core.models.memory.room import DeviceRoom


class Network(nn.Linear):
    """Knows where it is said to be. `room_for`: how many of its kind the card holds; None for any number."""

    on_card: list = []  # noqa: RUF012 - all networks share the card
    room_for = None

    def __init__(self, side=8):
        super().__init__(side, side)

    def to(self, place):
        if place == "card":
            if Network.room_for is not None and len(Network.on_card) >= Network.room_for:
                raise torch.OutOfMemoryError("the card is full")
            Network.on_card.append(self)
        elif self in Network.on_card:
            Network.on_card.remove(self)
        return self

    __hash__ = nn.Module.__hash__

    def __eq__(self, other):
        return self is other


@pytest.fixture
def room(monkeypatch):
    monkeypatch.setattr(Network, "on_card", [])
    monkeypatch.setattr(Network, "room_for", None)
    monkeypatch.setattr("scumble_core.models.memory.room.send_to_device", lambda values, _device: values)
    return DeviceRoom("card", "host")


def called(*networks):
    for network in networks:
        network(torch.zeros(1, network.in_features))


def test_networks_come_when_they_are_called_and_stay_where_there_is_room(room):
    base, refiner = Network(), Network()
    room.take([base, refiner])
    assert Network.on_card == []
    called(base, refiner, base)
    assert Network.on_card == [base, refiner] == [*reversed(room.inside)]


def test_base_and_refiner_take_turns_once_the_room_is_small(room):
    base, refiner = Network(), Network()
    room.take([base, refiner])
    room.settle("model")
    moves = []
    for network in (base, base, refiner, refiner, base):
        called(network)
        moves.append(list(Network.on_card))
    assert moves == [[base], [base], [refiner], [refiner], [base]]


def test_a_full_card_sends_the_others_away(room):
    base, refiner = Network(), Network()
    room.take([base, refiner])
    Network.room_for = 1
    called(base, refiner)
    assert Network.on_card == [refiner] and room.offload == "none"


def test_one_that_does_not_fit_even_alone_is_an_error(room):
    base = Network()
    room.take([base])
    Network.room_for = 0
    with pytest.raises(torch.OutOfMemoryError):
        called(base)


def test_more_room_lets_whole_networks_stay_again(room):
    base, refiner = Network(), Network()
    room.take([base, refiner])
    room.settle("model")
    room.settle("none")
    called(base, refiner)
    assert Network.on_card == [base, refiner]


class UNet(Network):
    pass


class ControlNet(Network):
    pass


def test_a_controlnet_stays_beside_the_network_that_it_controls(room):
    base, refiner, control, decoder = UNet(), UNet(), ControlNet(), Network()
    room.take([base, refiner, control, decoder])
    room.settle("model")
    inside = []
    for network in (control, base, control, refiner, decoder):
        called(network)
        inside.append(set(Network.on_card))
    assert inside == [{control}, {control, base}, {control, base}, {control, refiner}, {decoder}]


def test_what_is_forgotten_is_not_cared_for(room):
    base = Network()
    room.take([base])
    room.forget([base])
    called(base)
    assert Network.on_card == [] and room.inside == ()


def _autoencoder():
    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=4, layers_per_block=1,
    ).eval()  # fmt: skip


@pytest.mark.parametrize("steps", range(4))
@torch.inference_mode()
def test_every_step_down_gives_the_same_numbers(steps):
    """By the real hooks, with the computer's memory as the card: encode and decode are heard, and blocks come."""
    network, pixels = _autoencoder(), torch.rand(1, 3, 32, 32)
    expected = network.decode(network.encode(pixels).latent_dist.mode()).sample
    room = DeviceRoom("cpu")
    room.take([network])
    ways = []
    for _ in range(steps):
        assert room.relieve()
        ways.append(room.offload)
        assert torch.equal(network.decode(network.encode(pixels).latent_dist.mode()).sample, expected)
    assert ways == ["model", "group", "sequential"][:steps]
    assert (network in room.inside) == (steps == 1)
    assert room.relieve() == (steps < 3)


def test_networks_taken_later_come_in_the_same_way():
    room = DeviceRoom("cpu")
    room.settle("sequential")
    network = _autoencoder()
    room.take([network])
    with torch.inference_mode():
        assert network.encode(torch.rand(1, 3, 16, 16)).latent_dist.mode().shape == (1, 4, 8, 8)
    assert room.inside == ()
