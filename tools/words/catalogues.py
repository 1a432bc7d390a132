"""The catalogues: what the code says, the translations beside it (.po), and what gettext reads (.mo).

The .mo files are in the repository: so a checkout, a wheel and the packed plugin are translated without a compiler
where the artist is. A test keeps them true to the .po files, and those true to the code.
"""

import ast
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PLUGIN = Path(__file__).resolve().parents[2] / "krita_plugin/scumble"
LANGUAGES = ("de", "fr")
_CALLS: dict[str, "tuple[int, ...] | None"] = {"tr": None, "ntr": (1, 2)}
_REMARK = "Translators:"
# Dates and the tool's version would change the files without a change in the words.
_UNSTEADY = re.compile(r'^"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Generated-By|Report-Msgid).*\n', re.M)


@dataclass(frozen=True)
class Files:
    """One language's two files."""

    source: Path
    compiled: Path


def files_of(language: str, plugin: Path = PLUGIN) -> Files:
    folder = plugin / "locale" / language / "LC_MESSAGES"
    return Files(folder / "scumble.po", folder / "scumble.mo")


def extract(plugin: Path = PLUGIN) -> Catalog:
    """All texts given to `tr` and `ntr`, in the order of the files."""
    catalogue = Catalog(project="Scumble", charset="utf-8")
    found = extract_from_dir(
        plugin, [("**.py", "python")], keywords=_CALLS, comment_tags=(_REMARK,), strip_comment_tags=True
    )
    for file, line, texts, remarks, context in sorted(found, key=lambda entry: entry[:2]):
        catalogue.add(texts, None, [(file, line)], auto_comments=remarks, context=context)
    return catalogue


def read(language: str, plugin: Path = PLUGIN) -> Catalog:
    """The translations as they are kept; empty when there are none yet."""
    source = files_of(language, plugin).source
    if not source.exists():
        return Catalog(locale=language, project="Scumble", charset="utf-8")
    with source.open("rb") as file:
        return read_po(file, locale=language)


def merge(language: str, plugin: Path = PLUGIN) -> int:
    """Bring the language's .po file up to the code. Gives the number of texts without a translation."""
    catalogue = read(language, plugin)
    catalogue.update(extract(plugin), no_fuzzy_matching=True, update_creation_date=False)
    files = files_of(language, plugin)
    files.source.parent.mkdir(parents=True, exist_ok=True)
    files.source.write_text(po_text(catalogue), "utf-8")
    return sum(1 for message in catalogue if message.id and not is_complete(message))


def po_text(catalogue: Catalog) -> str:
    """As written into the .po file, the same for the same words."""
    catalogue.fuzzy = False
    written = io.BytesIO()
    write_po(written, catalogue, width=120, omit_header=False, ignore_obsolete=True, include_lineno=False)
    text = written.getvalue().decode("utf-8")
    return _UNSTEADY.sub("", text[text.index('msgid ""') :])


def compile_words(language: str, plugin: Path = PLUGIN) -> bytes:
    """The bytes of the .mo file."""
    written = io.BytesIO()
    write_mo(written, read(language, plugin))
    return written.getvalue()


def forms(text: "str | Sequence[str] | None") -> tuple[str, ...]:
    """One text, or its singular and plural; Babel has them in several shapes."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def is_complete(message: Message) -> bool:
    """Every form has words."""
    return all(forms(message.string)) and len(forms(message.string)) >= len(forms(message.id))


def unreadable_calls(plugin: Path = PLUGIN) -> Iterator[str]:
    """Calls of `tr` and `ntr` whose words can't be taken out: not a plain text. "file:line" each."""
    for file in sorted(plugin.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
                texts = node.args[: 2 if node.func.id == "ntr" else 1]
                if not all(isinstance(text, ast.Constant) and isinstance(text.value, str) for text in texts):
                    yield f"{file.relative_to(plugin)}:{node.lineno}"
