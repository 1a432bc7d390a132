"""Where to refine more, and where prompts of their own count: by layers and masks that the artist paints."""

from collections.abc import Iterable
from dataclasses import replace

from scumble.host.contract import LayerChoice
from scumble.limits import METHODS
from scumble.panel.items import ItemList, ItemRow
from scumble.panel.layers import LayerPicker
from scumble.panel.look import Look, note, tight
from scumble.panel.prompt import WORDLESS, PromptEdit
from scumble.panel.widgets import Part, Rows, check
from scumble.prompts import MOST_REGION_PROMPT
from scumble.qt import QtWidgets
from scumble.settings import MOST_REGIONS, Region, Settings
from scumble.words import tr


class StrengthMap(Part):
    """The map, and whether it and the regions' layers stay out of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self._tip = tr(
            "A layer or mask that says how strongly to refine at each place: white all of the strength, "
            "black or unpainted none. It may be hidden."
        )
        self.layer = LayerPicker("scumble_strength_map", self._tip, tr("Same everywhere"))
        self.without = check(
            "scumble_without_guides",
            tr("Leave these layers out"),
            tr("The strength map and the regions’ layers are not part of the picture that is refined."),
        )
        rows = Rows(self)
        rows.field(tr("Strength map"), self.layer)
        rows.addRow(self.without)
        self.layer.currentIndexChanged.connect(self._edited)
        self.without.toggled.connect(self._edited)

    def show_layers(self, layers: "Iterable[LayerChoice]") -> None:
        """All of the document; those that can say where are offered."""
        self.layer.show_layers(layer for layer in layers if layer.is_guide)

    def into(self, settings: Settings) -> Settings:
        return replace(settings, strength_map=self.layer.chosen, without_guides=self.without.isChecked())

    def heed(self, settings: Settings) -> None:
        reason = _reason(settings)
        self.layer.setEnabled(not reason)
        self.layer.explain("\n".join(text for text in (self._tip, reason) if text))
        self.layer.setAccessibleDescription(reason)

    def _show(self, settings: Settings) -> None:
        self.layer.choose(settings.strength_map)
        self.without.setChecked(settings.without_guides)


class RegionList(ItemList["RegionRow"]):
    """A row for each region."""

    def __init__(self, look: Look) -> None:
        self._tip = tr("Add a region: where its layer or mask is painted, a prompt of its own counts.")
        super().__init__(
            tr("Regions"), look.button("scumble_region_add", "list-add", "+", tr("Add a region"), self._tip)
        )
        self._look = look
        self._layers: tuple[LayerChoice, ...] = ()
        self.words = note("scumble_regions_words")
        self._column.addWidget(self.words)
        self._reads = True
        self._reason = ""
        self._refresh()

    def show_layers(self, layers: "Iterable[LayerChoice]") -> None:
        """All of the document; those that can say where are offered."""
        self._layers = tuple(layer for layer in layers if layer.is_guide)
        for row in self.rows:
            row.layer.show_layers(self._layers)

    def into(self, settings: Settings) -> Settings:
        return replace(settings, regions=tuple(row.region for row in self.rows))

    def heed(self, settings: Settings) -> None:
        self._reads = settings.base not in WORDLESS
        self._reason = _reason(settings)
        self._refresh()

    def _show(self, settings: Settings) -> None:
        if self.into(settings) == settings:
            return
        self._clear()
        for region in settings.regions:
            self._append(self._row(region))

    def _fresh(self) -> "RegionRow | None":
        """On the uppermost layer that no other region has: most often it was just painted."""
        used = {row.layer.chosen for row in self.rows}
        free = next((layer.id for layer in self._layers if layer.id not in used), "")
        return self._row(Region(free))

    def _row(self, region: Region) -> "RegionRow":
        return RegionRow(self._look, self._layers, region, len(self.rows) + 1)

    def _refresh(self) -> None:
        for row in self.rows:
            row.setEnabled(not self._reason)
        self.add.setEnabled(not self._reason and len(self.rows) < MOST_REGIONS)
        self.add.setToolTip("\n".join(text for text in (self._tip, self._reason) if text))
        self.words.setText(tr("The starter model reads no text: for regions, choose a base model that does."))
        self.words.setVisible(bool(self.rows) and not self._reads)


class RegionRow(ItemRow):
    """One region: where, what is there, and away with it."""

    def __init__(self, look: Look, layers: "tuple[LayerChoice, ...]", region: Region, number: int) -> None:
        away = look.button(
            f"scumble_region_remove_{number}",
            "deletelayer",
            "–",
            tr("Remove region {number}").format(number=number),
            tr("Let the picture’s own prompt count there. The layer stays."),
        )
        super().__init__(away)
        self.layer = LayerPicker(
            f"scumble_region_{number}",
            tr("Where the region is: a mask, or wherever this layer has paint, in any colour."),
            tr("Choose a layer"),
        )
        self.layer.show_layers(layers)
        self.layer.choose(region.layer)
        self.layer.setAccessibleName(tr("Layer of region {number}").format(number=number))
        self.prompt = PromptEdit(f"scumble_region_prompt_{number}", 1, MOST_REGION_PROMPT)
        self.prompt.show_text(region.prompt)
        self.prompt.setPlaceholderText(tr("What is there"))
        self.prompt.setToolTip(tr("What this part of the picture shows, in place of the prompt above."))
        self.prompt.setAccessibleName(tr("Prompt of region {number}").format(number=number))
        column = QtWidgets.QVBoxLayout(self)
        tight(column)
        first = QtWidgets.QHBoxLayout()
        tight(first)
        first.addWidget(self.layer, 1)
        first.addWidget(away)
        column.addLayout(first)
        column.addWidget(self.prompt)
        self.layer.currentIndexChanged.connect(self._edited)
        self.prompt.textChanged.connect(self._edited)

    @property
    def region(self) -> Region:
        return Region(self.layer.chosen, self.prompt.text())

    @property
    def stops(self) -> "tuple[QtWidgets.QWidget, ...]":
        return self.layer, self.away, self.prompt


def _reason(settings: Settings) -> str:
    """Why it has no effect; "" when it has."""
    method = METHODS[settings.preset]
    if method.allows("regions"):
        return ""
    return tr("The method “{title}” refines all places alike.").format(title=method.title)
