"""Just enough of ICC profiles (ICC.1:2010): their names, their tags, and an RGB profile for a grey curve."""

import struct

_TAGS_AT, _TAG = 128, struct.Struct(">4sII")
# D50 and two of sRGB's primaries adapted to it, in 65536ths; the third is what is missing, so that grey is neutral.
_D50 = (0xF6D6, 0x10000, 0xD32D)
_RED = (28578, 14581, 912)
_GREEN = (25241, 46981, 6362)
_BLUE = tuple(white - red - green for white, red, green in zip(_D50, _RED, _GREEN, strict=True))


def tag(data: bytes, signature: bytes) -> bytes:
    """The bytes of a tag; nothing when it isn't there or the profile is damaged."""
    if data[36:40] != b"acsp" or len(data) < _TAGS_AT + 4:
        return b""
    count = min(int.from_bytes(data[128:132], "big"), (len(data) - _TAGS_AT - 4) // _TAG.size)
    for index in range(count):
        name, start, size = _TAG.unpack_from(data, _TAGS_AT + 4 + index * _TAG.size)
        if name == signature:
            return data[start : start + size]
    return b""


def names(data: bytes) -> "tuple[str, ...]":
    """The names that a profile has, one for each language; programs show one of them."""
    text = tag(data, b"desc")
    if text[:4] == b"desc":  # version 2
        size = int.from_bytes(text[8:12], "big")
        return (text[12 : 12 + size].split(b"\0")[0].decode("latin-1").strip(),)
    if text[:4] != b"mluc":
        return ()
    found = []
    for index in range(min(int.from_bytes(text[8:12], "big"), (len(text) - 16) // 12)):
        size, start = struct.unpack_from(">II", text, 16 + index * 12 + 4)
        found.append(text[start : start + size].decode("utf-16-be", "ignore").strip("\0 "))
    return tuple(dict.fromkeys(found))


def grey_as_rgb(grey: bytes) -> bytes:
    """An RGB profile in which equal red, green and blue are what that grey is; nothing when it has no plain curve."""
    curve = tag(grey, b"kTRC")
    if grey[16:20] != b"GRAY" or grey[20:24] != b"XYZ " or curve[:4] not in (b"curv", b"para"):
        return b""
    name = next(iter(names(grey)), "")
    bodies = {
        b"desc": _text(f"Scumble: {name} as RGB"),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _xyz(_D50),
        b"rXYZ": _xyz(_RED),
        b"gXYZ": _xyz(_GREEN),
        b"bXYZ": _xyz(_BLUE),
        b"rTRC": curve,
    }
    places, body = {}, b""
    start = _TAGS_AT + 4 + (len(bodies) + 2) * _TAG.size
    for signature, content in bodies.items():
        places[signature] = (start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    places[b"gTRC"] = places[b"bTRC"] = places[b"rTRC"]
    table = b"".join(_TAG.pack(signature, *place) for signature, place in places.items())
    header = struct.pack(
        ">I4sI4s4s4s12s4s4sI4s4sQI3I4s44s",
        start + len(body), b"\0" * 4, 0x04200000, b"mntr", b"RGB ", b"XYZ ", struct.pack(">6H", 2026, 1, 1, 0, 0, 0),
        b"acsp", b"\0" * 4, 0, b"\0" * 4, b"\0" * 4, 0, 0, *_D50, b"\0" * 4, b"\0" * 44,
    )  # fmt: skip
    return header + struct.pack(">I", len(places)) + table + body


def _text(text: str) -> bytes:
    words = text.encode("utf-16-be")
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(words), 28) + words


def _xyz(values: "tuple[int, ...]") -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *values)
