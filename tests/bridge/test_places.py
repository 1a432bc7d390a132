"""Where both sides look for each other."""

import os
import stat
from pathlib import Path

import pytest

from scumble_bridge.errors import PlaceError
from scumble_bridge.places import (
    MOST_SOCKET_PATH,
    TcpAddress,
    UnixAddress,
    core_address,
    create_token,
    data_folder,
    make_private_folder,
    read_core_command,
    read_token,
    runtime_folder,
    socket_path,
    write_core_command,
)


@pytest.mark.parametrize(
    ("environ", "platform", "data", "runtime"),
    [
        ({"HOME": "/h"}, "linux", "/h/.local/share/scumble", "/h/.local/share/scumble/run"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/d", "XDG_RUNTIME_DIR": "/r"}, "linux", "/d/scumble", "/r/scumble"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Application Support/scumble", None),
        ({"HOME": "/h", "LOCALAPPDATA": "/l"}, "win32", "/l/scumble", "/l/scumble/run"),
        ({"SCUMBLE_DATA_DIR": "/x", "SCUMBLE_RUNTIME_DIR": "/y", "XDG_RUNTIME_DIR": "/r"}, "linux", "/x", "/y"),
    ],
)
def test_the_environment_says_where(environ: dict[str, str], platform: str, data: str, runtime: str | None) -> None:
    assert data_folder(environ, platform) == Path(data)
    assert runtime_folder(environ, platform) == Path(runtime or f"{data}/run")


def test_a_long_runtime_folder_gets_a_short_socket_path_that_is_its_own() -> None:
    short, one, other = Path("/run/s"), Path("/" + "a" * 120), Path("/" + "b" * 120)
    assert socket_path(short) == short / "core.sock"
    assert len(os.fsencode(socket_path(one))) <= MOST_SOCKET_PATH
    assert socket_path(one) != socket_path(other) and socket_path(one) == socket_path(one)


def test_a_token_comes_back_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    token = create_token(tmp_path)
    assert read_token(tmp_path) == token and create_token(tmp_path) != token
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_a_token_that_others_may_read_is_none(tmp_path: Path) -> None:
    create_token(tmp_path)
    (tmp_path / "token").chmod(0o640)
    with pytest.raises(PlaceError, match="open to others"):
        read_token(tmp_path)


def test_a_private_folder_is_made_private_even_if_it_was_not(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True, mode=0o755)
    make_private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", "zz", "00", "00" * 33, "\udcff"])
def test_a_file_that_holds_no_token_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text, errors="surrogateescape")
    with pytest.raises(PlaceError, match="does not hold a token"):
        read_token(tmp_path)


def test_what_is_missing_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="start it"):
        read_token(tmp_path)
    with pytest.raises(PlaceError, match="start Scumble's core"):
        core_address(tmp_path, "linux")
    with pytest.raises(PlaceError, match="scumble krita install"):
        read_core_command(tmp_path)
    with pytest.raises(PlaceError, match="can't be made"):
        (tmp_path / "file").touch()
        make_private_folder(tmp_path / "file" / "folder")


def test_the_address_is_a_socket_or_on_windows_a_port(tmp_path: Path) -> None:
    (tmp_path / "core.sock").touch()
    assert core_address(tmp_path, "linux") == UnixAddress(tmp_path / "core.sock")
    (tmp_path / "core.port").write_text("4711\n")
    assert core_address(tmp_path, "win32") == TcpAddress(4711)


@pytest.mark.parametrize("text", ["", "0", "-1", "70000", "4711x", "9" * 5000])
def test_a_file_that_holds_no_port_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "core.port").write_text(text)
    with pytest.raises(PlaceError, match="does not hold a port"):
        core_address(tmp_path, "win32")


def test_the_command_comes_back(tmp_path: Path) -> None:
    path = write_core_command(tmp_path / "new", ["python", "-m", "scumble_core"])
    assert path.name == "core.json"
    assert read_core_command(tmp_path / "new") == ["python", "-m", "scumble_core"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command": []}', '{"command": "python"}', '{"command": [1]}'])
def test_a_file_that_holds_no_command_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "core.json").write_text(text)
    with pytest.raises(PlaceError, match="does not say how"):
        read_core_command(tmp_path)
