"""Whose program is at the other end of a socket."""

import os
import socket
import struct
import sys

import pytest

from scumble_bridge.peers import is_ours, peer_user

HERE = sys.platform


class Answering:
    """A socket of another system, which has one option."""

    def __init__(self, level: int, option: int, value: bytes) -> None:
        self._option = (level, option)
        self._value = value

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        if (level, option) != self._option:
            raise OSError("no such option")
        return self._value[:size]


def xucred(user: int, version: int = 0) -> bytes:
    """As macOS and FreeBSD lay it out: the groups begin at a multiple of 4."""
    return struct.pack("=IIhxx16I", version, user, 1, *[20] * 16)


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="needs Linux")
def test_the_system_tells_that_our_own_socket_is_ours() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_user(one, HERE) == os.getuid()
        assert is_ours(one)


@pytest.mark.parametrize("system", ["darwin", "freebsd14"])
def test_macos_and_the_bsds_tell_the_user_by_another_option(system: str) -> None:
    assert peer_user(Answering(0, 1, xucred(501)), system) == 501
    assert peer_user(Answering(0, 1, xucred(2**32 - 2)), system) == 2**32 - 2  # nobody


@pytest.mark.parametrize("value", [b"", xucred(501)[:40], xucred(501, version=1)])
def test_an_answer_in_another_form_is_no_answer(value: bytes) -> None:
    with pytest.raises(ValueError, match="system"):
        peer_user(Answering(0, 1, value), "darwin")


def test_a_system_that_cannot_tell_is_not_asked() -> None:
    assert peer_user(Answering(9, 9, b""), "win32") is None


def test_a_socket_that_says_nothing_of_its_other_end_is_not_ours() -> None:
    lonely = socket.socket(socket.AF_UNIX)
    lonely.close()
    assert not is_ours(lonely)


def test_sockets_of_other_kinds_are_left_to_the_token() -> None:
    with socket.socket(socket.AF_INET) as line:
        assert is_ours(line)
    assert is_ours(None)
