"""Prompts: those of the last runs, and style snippets, which put a prompt into words of their own. All pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scumble.words import tr

PLACE = "{prompt}"
MOST_ENTRIES = 50
MOST_SNIPPETS = 200
# Both prompts, and those of all regions, must fit into a message's header of 64 KiB, with every letter written as
# \uXXXX.
MOST_PROMPT = 4000
MOST_REGION_PROMPT = 500
_MOST_IN_REGIONS = 1600
MOST_TEMPLATE = 500
MOST_NAME = 60


class PromptPair(NamedTuple):
    """What should be in the picture, and what should not."""

    prompt: str
    negative: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.prompt.strip() or self.negative.strip())


@dataclass(frozen=True)
class PromptHistory:
    """The prompts of the last runs, the newest first, none of them twice."""

    entries: "tuple[PromptPair, ...]" = ()

    def add(self, pair: PromptPair) -> "PromptHistory":
        """With this pair as the newest. An empty one is not worth remembering."""
        if pair.is_empty:
            return self
        return PromptHistory((pair, *(entry for entry in self.entries if entry != pair))[:MOST_ENTRIES])

    def to_text(self) -> str:
        return json.dumps([list(entry) for entry in self.entries])

    @classmethod
    def from_text(cls, text: str) -> "PromptHistory":
        """What `to_text` wrote; entries that can't be read are left out."""
        history = cls()
        for entry in reversed(_list(text)[:MOST_ENTRIES]):
            if isinstance(entry, list) and len(entry) == 2 and all(_is_text(part, MOST_PROMPT) for part in entry):
                history = history.add(PromptPair(*entry))
        return history


@dataclass(frozen=True)
class Walk:
    """Where an artist stands who leafs through the history: 0 at what was being written, 1 at the newest entry."""

    history: PromptHistory
    draft: PromptPair
    at: int = 0

    @property
    def pair(self) -> PromptPair:
        return self.draft if self.at == 0 else self.history.entries[self.at - 1]

    def older(self) -> "Walk":
        # The newest entry is often what stands in the boxes already: one press must change something.
        step = 2 if self.at == 0 and self.history.entries[:1] == (self.draft,) else 1
        return Walk(self.history, self.draft, min(self.at + step, len(self.history.entries)))

    def newer(self) -> "Walk":
        step = 2 if self.at == 2 and self.history.entries[:1] == (self.draft,) else 1
        return Walk(self.history, self.draft, max(self.at - step, 0))


class Snippet(NamedTuple):
    """A style. `prompt`: a template, {prompt} in it what the artist wrote; `negative`: what it adds to the negative."""

    name: str
    prompt: str
    negative: str = ""


def apply(pair: PromptPair, snippets: "Iterable[Snippet]") -> PromptPair:
    """What the model reads: each style around what the ones before it gave."""
    prompt, negative = pair
    for snippet in snippets:
        prompt = _fill(snippet.prompt, prompt)
        negative = ", ".join(part for part in (negative.strip(), snippet.negative.strip()) if part)
    return PromptPair(prompt[:MOST_PROMPT], negative[:MOST_PROMPT])


def fitted(prompts: "Sequence[str]") -> "list[str]":
    """The regions' prompts, as much of each as can be sent of all."""
    most = min(MOST_REGION_PROMPT, _MOST_IN_REGIONS // max(1, len(prompts)))
    return list(prompts) if sum(map(len, prompts)) <= _MOST_IN_REGIONS else [prompt[:most] for prompt in prompts]


def shipped() -> "tuple[Snippet, ...]":
    """The styles that come with Scumble. Their words are the models', which read English."""
    return (
        Snippet(
            tr("Photo"), "{prompt}, photograph, natural light, sharp focus, fine detail", "drawing, cartoon, blurry"
        ),
        Snippet(tr("Oil painting"), "{prompt}, oil painting, visible brush strokes, canvas texture", "photograph"),
        Snippet(tr("Watercolour"), "{prompt}, watercolour, paper texture, soft washes", "photograph, hard outlines"),
        Snippet(tr("Line art"), "{prompt}, clean line art, crisp ink lines", "blurry, grainy, photograph"),
        Snippet(tr("Digital painting"), "{prompt}, digital painting, detailed, sharp focus", "blurry, jpeg artefacts"),
    )


def cleaned(name: str, prompt: str, negative: str = "") -> "Snippet | None":
    """A style of the artist's own; None when there is nothing in it."""
    name = " ".join(name.split())[:MOST_NAME]
    prompt, negative = prompt.strip()[:MOST_TEMPLATE], negative.strip()[:MOST_TEMPLATE]
    return Snippet(name, prompt, negative) if name and (prompt or negative) else None


def with_snippet(own: "tuple[Snippet, ...]", snippet: Snippet) -> "tuple[Snippet, ...]":
    """With this one, in place of the one that has its name."""
    return (*without_snippet(own, snippet.name), snippet)[-MOST_SNIPPETS:]


def without_snippet(own: "tuple[Snippet, ...]", name: str) -> "tuple[Snippet, ...]":
    return tuple(snippet for snippet in own if snippet.name != name)


def snippets_to_text(snippets: "tuple[Snippet, ...]") -> str:
    return json.dumps([list(snippet) for snippet in snippets])


def snippets_from_text(text: str) -> "tuple[Snippet, ...]":
    """What `snippets_to_text` wrote; what can't be read is left out."""
    return snippets_from(_list(text))


def snippets_from(values: object) -> "tuple[Snippet, ...]":
    """From a list as JSON has it."""
    found: tuple[Snippet, ...] = ()
    for entry in values[:MOST_SNIPPETS] if isinstance(values, list) else ():
        if isinstance(entry, list) and len(entry) == 3 and all(_is_text(part, MOST_TEMPLATE) for part in entry):
            snippet = Snippet(*entry)
            found = with_snippet(found, snippet) if snippet.name else found
    return found


def _fill(template: str, prompt: str) -> str:
    """Words that would have stood beside an empty prompt lose their comma."""
    prompt, template = prompt.strip(), template.strip()
    if PLACE not in template:
        return ", ".join(part for part in (prompt, template) if part)
    # Not str.format: braces mean something to some models.
    return template.replace(PLACE, prompt) if prompt else template.replace(PLACE, "").strip(" ,")


def _list(text: str) -> "list[object]":
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return values if isinstance(values, list) else []


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most
