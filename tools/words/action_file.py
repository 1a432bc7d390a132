"""`scumble.action`, which Krita reads at its start: the ids and default shortcuts of actions.py."""

from xml.etree import ElementTree

from tools.words.catalogues import PLUGIN

from scumble.actions import ActionRow, actions

ACTION_FILE = PLUGIN / "scumble.action"
# Krita greys out what needs something that isn't there; ours say why not instead, so they need nothing.
_FLAGS = "0"


def action_file() -> str:
    """The whole file."""
    root = ElementTree.Element("ActionCollection", version="2", name="Scripts")
    rows = ElementTree.SubElement(root, "Actions", category="Scripts")
    _put(rows, "text", "Scumble")
    for row in actions():
        rows.append(_action(row))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _action(row: ActionRow) -> ElementTree.Element:
    action = ElementTree.Element("Action", name=row.id)
    for tag, text in (
        ("icon", ""),
        ("text", row.text),
        ("whatsThis", row.tip),
        ("toolTip", row.tip),
        ("iconText", ""),
        ("activationFlags", _FLAGS),
        ("activationConditions", _FLAGS),
        ("shortcut", row.shortcut),
        ("isCheckable", "true" if row.checkable else "false"),
        ("statusTip", row.tip),
    ):
        _put(action, tag, text)
    return action


def _put(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text
