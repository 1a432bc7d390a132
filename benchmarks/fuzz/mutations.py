"""Sessions with a few things changed."""

from __future__ import annotations

import json
import random

from benchmarks.fuzz.sessions import JOB, OTHER, SCRIPT, Session

from scumble_bridge import codec, messages
from scumble_bridge.frames import HEAD

MOST_BYTES = 20_000
WORDS = (
    b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9007199254740992", b"2147483648", b'""', b"[]",
    b"{}", b'"\\ud800"', b'"source"', b'"refined"', b'"region-17"', b'"f16"', b'"type"', b"[[[[", b"SCMB\x01\0\0\0",
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\x10\0\0",
)  # fmt: skip
VALUES: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    2**31,
    2**53,
    "",
    "source",
    JOB,
    OTHER,
    "\ud800",
    [],
    {},
    [1, 300],
    [0, 0, 1, 1],
    ["source", "region-16"],
)


def mutated(session: Session, corpus: list[Session], rng: random.Random) -> Session:
    """The session with a few things changed."""
    steps = list(session.steps)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        at = rng.randrange(len(steps)) if steps else 0
        choice = rng.random()
        if not steps or choice < 0.1:
            steps.insert(at, rng.choice(rng.choice(corpus).steps or (b"",)))
        elif choice < 0.15:
            del steps[at]
        elif choice < 0.2:
            steps.insert(at, steps[at])
        elif isinstance(step := steps[at], bytes):
            if choice < 0.3:
                cut = rng.randrange(len(step) + 1)
                steps[at : at + 1] = [step[:cut], step[cut:]]
            elif choice < 0.7:
                steps[at] = _reframed(step, rng)
            else:
                steps[at] = _scratched(step, rng)
        else:
            steps[at] = rng.choice([message for _, message in SCRIPT])
    return Session(session.role, tuple(step if not isinstance(step, bytes) else step[:MOST_BYTES] for step in steps))


def _scratched(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed anywhere."""
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 2, 4, 16, 64)))
    choice = rng.randrange(6)
    if choice == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if choice == 1:
        return data[:at] + rng.randbytes(end - at) + data[end:]
    if choice == 2:
        return data[:at] + rng.choice(WORDS) + data[end:]
    if choice == 3:
        return data[:at] + data[end:]
    if choice == 4:
        return data[:at] + data[at:end] * rng.choice((2, 3, 50)) + data[end:]
    return data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]


def _reframed(data: bytes, rng: random.Random) -> bytes:
    """The first frame changed inside, its lengths put right: it gets past the head."""
    if len(data) < HEAD.size:
        return _scratched(data, rng)
    magic, version, zeros, header_length, payload_length = HEAD.unpack_from(data)
    end = HEAD.size + header_length
    header, payload, rest = data[HEAD.size : end], data[end : end + payload_length], data[end + payload_length :]
    choice = rng.random()
    if choice < 0.2:
        payload = rng.choice((b"", payload + b"x", payload[:1], payload * 2, bytes(9)))
    elif choice < 0.8:
        header = _reworded(header, rng)
    else:
        header = _scratched(header, rng)
    lengths = min(len(header), 2**32 - 1), min(len(payload), 2**32 - 1)
    return HEAD.pack(magic, version, zeros, *lengths) + header + payload + rest


def _reworded(header: bytes, rng: random.Random) -> bytes:
    """Another value, or another field, in the JSON object."""
    try:
        values = json.loads(header)
    except ValueError:
        return _scratched(header, rng)
    if not isinstance(values, dict) or not values:
        return _scratched(header, rng)
    name = rng.choice(list(values))
    if isinstance(values[name], dict) and values[name] and rng.random() < 0.5:
        inner = _reworded(json.dumps(values[name]).encode(), rng)
        return header.replace(json.dumps(values[name], separators=(",", ":")).encode(), inner, 1)
    choice = rng.randrange(5)
    if choice == 0:
        del values[name]
    elif choice == 1:
        values["type"] = rng.choice([cls.__name__.lower() for cls in messages.MESSAGE_TYPES])
    elif choice == 2:
        _, other = rng.choice(SCRIPT)
        values |= json.loads(bytes(codec.encode(other)[0])[HEAD.size :])
    elif choice == 3:
        values[name] = rng.choice(
            (None, True, -1, 0, 1.5, 2**31, 2**53, "", "source", JOB, OTHER, "\ud800", [], {}, [300])
        )
    else:
        return header.replace(json.dumps(values[name]).encode(), rng.choice(WORDS), 1)
    return json.dumps(values, separators=(",", ":")).encode()
