"""Where the artist's program and the core find each other on this machine.

Both sides work the places out from the environment by the same pure functions, and read and write the same
small files there. Whatever is wrong with a place is a PlaceError, in one sentence: what, where, what to do.
"""

import contextlib
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from scumble_bridge.errors import PlaceError
from scumble_bridge.handshake import TOKEN_BYTES

# A Unix socket's path has room for 104 bytes (macOS) or 108 (Linux), with a closing zero.
MOST_SOCKET_PATH = 100
# Not tempfile.gettempdir(): TMPDIR may differ between the two programs, and both must come to the same path.
SHORT_ROOT = Path("/tmp")


@dataclass(frozen=True)
class UnixAddress:
    """A Unix socket in the file system."""

    path: Path


@dataclass(frozen=True)
class TcpAddress:
    """A port on the loopback interface, where there are no Unix sockets."""

    port: int
    host: str = "127.0.0.1"


Address = Union[UnixAddress, TcpAddress]  # noqa: UP007


def data_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """What outlives a session: core.json, jobs, logs, models."""
    if environ.get("SCUMBLE_DATA_DIR"):
        return Path(environ["SCUMBLE_DATA_DIR"]).absolute()
    home = Path(environ.get("HOME") or Path.home())
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "scumble"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "scumble"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "scumble"


def runtime_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """What is of use only while a core runs: its socket and its token."""
    if environ.get("SCUMBLE_RUNTIME_DIR"):
        return Path(environ["SCUMBLE_RUNTIME_DIR"]).absolute()
    if environ.get("XDG_RUNTIME_DIR"):
        return Path(environ["XDG_RUNTIME_DIR"]) / "scumble"
    return data_folder(environ, platform) / "run"


def socket_path(runtime: Path) -> Path:
    """The core's Unix socket: in the runtime folder, or in a short folder named after it when that path is too long."""
    path = runtime / "core.sock"
    if len(os.fsencode(path)) <= MOST_SOCKET_PATH:
        return path
    return SHORT_ROOT / f"scumble-{hashlib.sha256(os.fsencode(runtime)).hexdigest()[:24]}" / "core.sock"


def make_private_folder(path: Path) -> None:
    """The folder, which only its owner may look into: made, or checked and put right."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(path)
        path.chmod(0o700)
    except OSError as error:
        raise _place_error(path, "can't be made a private folder", error) from error


def create_token(runtime: Path) -> bytes:
    """A new token, written so that nobody else ever may read it."""
    token = secrets.token_bytes(TOKEN_BYTES)
    write_private(runtime / "token", token.hex())
    return token


def read_token(runtime: Path) -> bytes:
    """The running core's token."""
    path = runtime / "token"
    text = _read_text(path, "Scumble's core is not running: start it.")
    _check_owner(path)
    try:
        token = bytes.fromhex(text.strip())
    except ValueError:
        token = b""
    if len(token) != TOKEN_BYTES:
        raise PlaceError(f"{path} does not hold a token: start Scumble's core again.")
    if hasattr(os, "getuid") and path.stat().st_mode & 0o077:
        raise PlaceError(f"{path} is open to others: start Scumble's core again, which makes a new one.")
    return token


def core_address(runtime: Path, platform: str = sys.platform) -> Address:
    """Where the running core listens."""
    if platform != "win32":
        path = socket_path(runtime)
        if not path.exists():
            raise PlaceError(f"Nobody listens at {path}: start Scumble's core.")
        _check_owner(path.parent)
        return UnixAddress(path)
    path = runtime / "core.port"
    text = _read_text(path, "Scumble's core is not running: start it.").strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise PlaceError(f"{path} does not hold a port: start Scumble's core again.")
    return TcpAddress(int(text))


def read_core_command(data: Path) -> "list[str]":
    """How to start the core, as written in its data folder."""
    path = data / "core.json"
    text = _read_text(path, "Scumble's core has not been set up yet: run `scumble krita install` once.")
    try:
        command = json.loads(text)["command"]
    except (ValueError, KeyError, TypeError, RecursionError):
        command = None
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        raise PlaceError(f"{path} does not say how to start the core: run `scumble krita install` again.")
    return command


def write_core_command(data: Path, command: Sequence[str]) -> Path:
    """Leave word of how to start the core; the file's path."""
    path = data / "core.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _place_error(path.parent, "can't be made", error) from error
    write_private(path, json.dumps({"command": list(command)}, indent=2) + "\n")
    return path


def write_private(path: Path, text: str) -> None:
    """The whole file or none, readable by its owner alone from its first moment on."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a handle, not a path
            file.write(text)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise _place_error(path, "can't be written", error) from error


def _read_text(path: Path, when_missing: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PlaceError(f"{path} is missing. {when_missing}") from None
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise _place_error(path, "can't be read", error) from error


def _check_owner(path: Path) -> None:
    """In a shared folder (/tmp) somebody else may have been there first, to listen or to be listened to."""
    try:
        owner = path.lstat().st_uid
    except OSError as error:
        raise _place_error(path, "can't be looked at", error) from error
    if hasattr(os, "getuid") and owner != os.getuid():
        raise PlaceError(f"{path} belongs to somebody else: remove it, or set SCUMBLE_RUNTIME_DIR to another folder.")


def _place_error(path: Path, what: str, error: OSError) -> PlaceError:
    return PlaceError(f"{path} {what} ({error.strerror or error}): make room or give yourself the right to it.")
