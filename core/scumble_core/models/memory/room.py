"""The room on a card that all loaded networks share: they come when they are called, and leave when others need it.

A network is anything of torch's; it comes to the card when it is called for the first time and stays. Where the room is
too small for all, the others leave then. So base and refiner take turns, and no model must know of it. By accelerate's
hooks: diffusers' autoencoders tell them of encode and decode, too.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import torch
from accelerate.hooks import ModelHook, add_hook_to_module, remove_hook_from_module
from accelerate.utils import send_to_device
from torch import nn

from scumble_core.models.device import free_memory, is_out_of_memory
from scumble_core.models.memory.wishes import Offload

_HOST = "cpu"
_LARGE_SHARE = 0.5

_log = logging.getLogger("scumble.memory")


class DeviceRoom:
    """`device`: torch's name of it. One thread."""

    def __init__(self, device: str, host: str = _HOST) -> None:
        self._device = device
        self._host = host
        self._offload: Offload = "none"
        # The one that was called last at the end.
        self._inside: OrderedDict[int, nn.Module] = OrderedDict()
        self._known: dict[int, nn.Module] = {}
        self._in_parts: set[int] = set()

    @property
    def offload(self) -> Offload:
        return self._offload

    @property
    def inside(self) -> tuple[nn.Module, ...]:
        """What is on the device, the longest unused first."""
        return tuple(self._inside.values())

    def take(self, networks: Iterable[nn.Module]) -> None:
        """Care for these from now on, wherever they are."""
        for network in networks:
            if id(network) in self._known:
                continue
            self._known[id(network)] = network
            if self._offload in ("group", "sequential") and self._is_large(network):
                self._in_pieces(network)
            else:
                add_hook_to_module(network, _Enters(self))

    def forget(self, networks: Iterable[nn.Module]) -> None:
        """These are not needed any more."""
        for network in networks:
            if self._known.pop(id(network), None) is None:
                continue
            self._inside.pop(id(network), None)
            if id(network) not in self._in_parts:
                remove_hook_from_module(network)
            self._in_parts.discard(id(network))

    def settle(self, offload: Offload) -> None:
        """Go this way from now on. Networks that come in parts stay so: only they know how they were taken apart."""
        if offload == "none" and self._offload == "model":
            self._offload = "none"
        while _order(self._offload) < _order(offload):
            self.relieve()

    def relieve(self) -> bool:
        """Take a step down: what is left on the device is less. False where there is none left."""
        following: dict[Offload, Offload] = {"none": "model", "model": "group", "group": "sequential"}
        if self._offload not in following:
            return False
        self._offload = following[self._offload]
        _log.info("Networks on %s: %s.", self._device, self._offload)
        self._clear()
        if self._offload in ("group", "sequential"):
            for network in list(self._known.values()):
                if self._is_large(network):
                    self._in_pieces(network)
        return True

    def enter(self, network: nn.Module) -> None:
        """It is about to be called."""
        if self._offload != "none":
            self._clear(but=network)
        if id(network) in self._inside:
            self._inside.move_to_end(id(network))
            return
        try:
            network.to(self._device)
        except Exception as error:
            if not is_out_of_memory(error) or not self._inside:
                raise
            fits = False
        else:
            fits = True
        if not fits:  # outside the except clause, so that what the failed call holds is let go
            _log.info("%s is full: all but one network leave it.", self._device)
            self._clear(but=network)
            network.to(self._device)
        self._inside[id(network)] = network

    def _clear(self, but: nn.Module | None = None) -> None:
        leaving = [each for each in self._inside.values() if each is not but and not _go_together(each, but)]
        for network in leaving:
            network.to(self._host)
            del self._inside[id(network)]
        if leaving:
            free_memory(self._device)

    def _is_large(self, network: nn.Module) -> bool:
        largest = max((_bytes(each) for each in self._known.values()), default=0)
        return _bytes(network) >= largest * _LARGE_SHARE and _bytes(network) > 0

    def _in_pieces(self, network: nn.Module) -> None:
        """Blocks, or layers, come by themselves. By diffusers' own hooks, for which any network of torch's will do."""
        from diffusers.hooks import apply_group_offloading
        from diffusers.hooks.hooks import HookRegistry

        self._inside.pop(id(network), None)
        if id(network) in self._in_parts:
            HookRegistry.check_if_exists_or_initialize(network).remove_hook("group_offloading", recurse=True)
        else:
            remove_hook_from_module(network)
        network.to(self._host)
        self._in_parts.add(id(network))
        kind = {"group": "block_level", "sequential": "leaf_level"}[self._offload]
        apply_group_offloading(
            network, onload_device=torch.device(self._device), offload_device=torch.device(self._host),
            offload_type=kind, num_blocks_per_group=1 if kind == "block_level" else None,
        )  # fmt: skip


class _Enters(ModelHook):  # type: ignore[misc]  # accelerate has no types
    """Brings a network, and what it is given, to the device before each call."""

    def __init__(self, room: DeviceRoom) -> None:
        self._room = room

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._room.enter(module)
        device = self._room._device
        return send_to_device(args, device), send_to_device(kwargs, device)


def _go_together(one: nn.Module, other: nn.Module | None) -> bool:
    """Whether both are called in each step: a ControlNet and the network that it controls."""
    names = sorted((type(one).__name__, type(other).__name__), key=lambda name: "ControlNet" not in name)
    return (
        "ControlNet" in names[0]
        and "ControlNet" not in names[1]
        and any(kind in names[1] for kind in ("UNet", "Transformer"))
    )


def _bytes(network: nn.Module) -> int:
    return sum(each.numel() * each.element_size() for each in network.parameters())


def _order(offload: Offload) -> int:
    return ("none", "model", "group", "sequential").index(offload)
