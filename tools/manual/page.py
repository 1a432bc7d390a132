"""Manual.html from docs/manual/README.md, in the HTML that Krita's help browser (Qt's rich text) understands."""

from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "docs/manual/README.md"
PAGE = ROOT / "krita_plugin/scumble/Manual.html"
# Pictures are kept once, with the plugin; the source names them as they lie from docs/manual.
_FROM_DOCS = "../../krita_plugin/scumble/"
# A screen's picture fits into the plugin manager's page as it opens.
_WIDTH = 620
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Scumble</title>
</head>
<body>
"""
_FOOT = "</body>\n</html>\n"


def page(source: str) -> str:
    """The whole of Manual.html."""
    body: str = MarkdownIt("commonmark").enable("table").render(source.replace(_FROM_DOCS, ""))
    # Qt's rich text draws a table without lines unless it is told to, and a picture as wide as it is.
    body = body.replace("<table>", '<table border="1" cellspacing="0" cellpadding="4">')
    return _HEAD + body.replace('.jpg" alt=', f'.jpg" width="{_WIDTH}" alt=') + _FOOT
