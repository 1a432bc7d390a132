"""The example session of docs/protocol.md, made anew. `python tests/bridge/example_session.py` prints it."""

from scumble_bridge.connection import Connection
from scumble_bridge.fields import PictureHeader
from scumble_bridge.messages import (
    Accepted,
    Credit,
    Fetch,
    Finished,
    Message,
    Ping,
    Pixels,
    Progress,
    Release,
    Submit,
)

TOKEN = bytes(range(32))
NONCES = {"client": b"\x11" * 32, "core": b"\x22" * 32}
JOB = "0123456789abcdef0123456789abcdef"
PIXEL = PictureHeader(1, 1, "u8", "bgra")
# Who says what; what each side says by itself (the handshake, Pong) comes with it.
SCRIPT: tuple[tuple[str, Message], ...] = (
    ("core", Ping(7)),
    ("client", Submit(JOB, {"preset": "tile-refine"}, PIXEL)),
    ("core", Accepted(JOB, ("source",))),
    ("core", Credit(JOB, "source", 4)),
    ("client", Pixels(JOB, "source", 0, bytes((0x10, 0x20, 0x30, 0xFF)))),
    ("core", Progress(JOB, "tiles", 1, 1, 0.0)),
    ("core", Finished(JOB, 0, 0, PIXEL, PIXEL, {})),
    ("client", Fetch(JOB, "refined")),
    ("client", Credit(JOB, "refined", 4)),
    ("core", Pixels(JOB, "refined", 0, bytes((0x11, 0x21, 0x31, 0xFF)))),
    ("client", Release(JOB)),
)


def session() -> list[tuple[str, bytes]]:
    """Who sent which bytes, in order, both sides being the real ones."""
    sides = {
        "client": Connection("client", TOKEN, nonce=NONCES["client"]),
        "core": Connection("core", TOKEN, server="scumble 1", nonce=NONCES["core"]),
    }
    said: list[tuple[str, bytes]] = []

    def carry() -> None:
        while any(data := [side.outgoing() for side in sides.values()]):
            for name, each in zip(sides, data, strict=True):
                if each:
                    said.append((name, each))
                    sides["core" if name == "client" else "client"].receive(each)

    carry()
    for name, message in SCRIPT:
        sides[name].send(message)
        carry()
    return said


def as_text() -> str:
    """As it stands in the document: a line for who speaks, then the bytes, 32 a line."""
    lines = []
    for name, data in session():
        lines.append(f"{name}:")
        lines += [f"  {data[at : at + 32].hex()}" for at in range(0, len(data), 32)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(as_text())
