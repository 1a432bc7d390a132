r"""A prompt's own notation, as A1111's web interface has it: weights by brackets, and BREAK.

`(word:1.2)` counts 1.2 times, `(word)` 1.1 times, `[word]` 1 / 1.1 times; brackets nest, and their weights multiply.
`\(`, `\)`, `\[`, `\]` and `\\` are the signs themselves. BREAK begins a new chunk. What is not closed reaches to the
prompt's end; what closes nothing is text. No prompt is an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

STRONGER = 1.1
WEAKER = 1 / STRONGER
# Beyond these a text encoder's answer is noise, whatever the words.
MOST_WEIGHT = 10.0

_NUMBER = r":\s*([+-]?(?:\d{1,6}(?:\.\d*)?|\.\d+))\s*\)"
_SIGNS = re.compile(rf"\\[()\[\]\\]|[()\[\]]|{_NUMBER}|[^\\()\[\]:]+|.", re.DOTALL)
_BREAK = re.compile(r"\s*\bBREAK\b\s*")


# A LoRA as a prompt calls it: its name, then as many weights as there are.
_LORA = re.compile(r"<(?:lora|lyco):([^:<>]+)((?::[^:<>]*)*)>", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """Words of one weight."""

    text: str
    weight: float = 1.0


Section = tuple[Piece, ...]


def parse(prompt: str) -> tuple[Section, ...]:
    """The prompt's sections, which BREAK parts, each of one piece or more. Never raises."""
    sections: list[list[Piece]] = [[]]
    for weight, run in groupby(_weighed(prompt), key=lambda piece: piece.weight):
        first, *others = _BREAK.split("".join(piece.text for piece in run))
        sections[-1].append(Piece(first, weight))
        sections += [[Piece(text, weight)] for text in others]
    return tuple(tuple(piece for piece in section if piece.text) or (Piece(""),) for section in sections)


def loras_in(prompt: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The prompt without its `<lora:name:weight>`, and of each the name and the weight as text ("" for none)."""
    found = tuple((match[1].strip(), match[2].removeprefix(":").strip()) for match in _LORA.finditer(prompt))
    return (_LORA.sub("", prompt).strip(), found) if found else (prompt, ())


def _weighed(prompt: str) -> Iterator[Piece]:
    """Runs of text with the product of all brackets around them. In time that grows with the prompt's length alone."""
    signs = list(_SIGNS.finditer(prompt))
    factors = _factors(signs)
    # The products of what is open; round and square brackets need not nest in each other.
    products: dict[str, list[float]] = {"(": [1.0], "[": [1.0]}
    for place, sign in enumerate(signs):
        text, factor = sign[0], factors.get(place)
        if factor is None:
            weight = _within(products["("][-1] * products["["][-1])
            yield Piece(text[1] if len(text) == 2 and text[0] == "\\" else text, weight)
        elif text in products:
            products[text].append(_within(products[text][-1] * factor))
        else:
            products["[" if text == "]" else "("].pop()


def _factors(signs: list[re.Match[str]]) -> dict[int, float]:
    """By its place, what each bracket that opens or closes makes of the words inside; text is not in there."""
    factors: dict[int, float] = {}
    opened: dict[str, list[int]] = {"(": [], "[": []}
    usual = {"(": STRONGER, "[": WEAKER}
    for place, sign in enumerate(signs):
        text = sign[0]
        if text in opened:
            opened[text].append(place)
            factors[place] = usual[text]
            continue
        kind = {"]": "[", ")": "("}.get(text, "(" if sign[1] is not None else "")
        if kind and opened[kind]:
            factor = usual[kind] if sign[1] is None else float(sign[1])
            factors[opened[kind].pop()] = factors[place] = factor
    return factors


def _within(weight: float) -> float:
    return max(-MOST_WEIGHT, min(MOST_WEIGHT, weight))
