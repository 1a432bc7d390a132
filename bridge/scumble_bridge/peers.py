"""Whose program is at the other end of a Unix socket, where the system tells.

Linux has SO_PEERCRED (unix(7)), macOS and the BSDs have LOCAL_PEERCRED (unix(4): struct xucred in sys/ucred.h). Python
names the first alone; the other's numbers never change, being part of the systems' binary interface.
"""

import os
import socket
import struct
import sys
from typing import Protocol

_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
_XUCRED = struct.Struct("=IIh2x16I")  # version, user, number of groups, groups
_XUCRED_VERSION = 0
_UCRED = struct.Struct("=3i")  # process, user, group


class Line(Protocol):
    """What is needed of a socket."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        """The option's value."""


def is_ours(line: "socket.socket | None") -> bool:
    """Whether the same user's program is at the other end; so it is taken to be where the system doesn't tell."""
    if line is None or line.family != getattr(socket, "AF_UNIX", None):
        return True
    try:
        user = peer_user(line, sys.platform)
    except (OSError, ValueError):
        return False
    return user is None or user == os.getuid()


def peer_user(line: Line, system: str) -> "int | None":
    """The user's number; None where this system has no way to tell. Raises OSError or ValueError."""
    if system.startswith("linux"):
        return int(_UCRED.unpack(_value(line, socket.SOL_SOCKET, getattr(socket, "SO_PEERCRED", 17), _UCRED.size))[1])
    if system == "darwin" or system.startswith("freebsd"):
        version, user, *_ = _XUCRED.unpack(_value(line, _SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))
        if version != _XUCRED_VERSION:
            raise ValueError("The system tells of its users in another form.")
        return int(user)
    return None


def _value(line: Line, level: int, option: int, size: int) -> bytes:
    value = line.getsockopt(level, option, size)
    if len(value) < size:
        raise ValueError("The system says too little of the program at the other end.")
    return value[:size]
