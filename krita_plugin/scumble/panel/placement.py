"""Where the results go, and how they are laid into the document."""

from dataclasses import replace
from typing import cast

from scumble.host.contract import Destination
from scumble.panel.slider import SliderSpin
from scumble.panel.widgets import Choice, Part, Rows, check
from scumble.settings import Settings
from scumble.words import tr


class PlacementOptions(Part):
    """Remembered, as all settings are."""

    def __init__(self) -> None:
        super().__init__()
        self._tip = tr("Where the two layers go, once all has succeeded.")
        self.destination = Choice(
            "scumble_destination",
            self._tip,
            (
                ("enlarge", tr("Enlarge this document")),
                ("new", tr("New document")),
                ("keep", tr("Keep the canvas size")),
            ),
        )
        self.opacity = SliderSpin(
            "scumble_opacity",
            tr("The refined layer’s opacity: less lets the plain picture show through. It can be changed later."),
            (0, 100),
            suffix=" %",
        )
        self.group = check(
            "scumble_group", tr("Layers in a group"), tr("Both layers in a group of their own, else loose.")
        )
        self.keep_upscaled = check(
            "scumble_keep_upscaled",
            tr("Plain upscale below"),
            tr("Keeps the picture as it was before refining, as a layer under the refined one."),
        )
        self.masked = check(
            "scumble_mask",
            tr("Selection as a mask"),
            tr("A transparency mask on the refined layer: paint on it to take the refining away or bring it back."),
        )
        rows = Rows(self)
        rows.field(tr("Place in"), self.destination)
        rows.field(tr("Opacity"), self.opacity)
        for box in (self.group, self.keep_upscaled, self.masked):
            rows.addRow(box)
            box.toggled.connect(self._edited)
        self.destination.currentIndexChanged.connect(self._edited)
        self.opacity.valueChanged.connect(self._edited)

    def into(self, settings: Settings) -> Settings:
        return replace(
            settings,
            destination=cast(Destination, self.destination.chosen),
            opacity=int(self.opacity.exact),
            group=self.group.isChecked(),
            keep_upscaled=self.keep_upscaled.isChecked(),
            mask=self.masked.isChecked(),
        )

    def heed(self, settings: Settings) -> None:
        is_part = settings.source == "selection"
        self.destination.setEnabled(not is_part)
        reason = tr("A selection always comes back where it was.") if is_part else ""
        self.destination.explain("\n".join(text for text in (self._tip, reason) if text))
        self.destination.setAccessibleDescription(reason)
        self.masked.setEnabled(is_part)
        self.masked.setAccessibleDescription("" if is_part else tr("Only for a selection."))

    def _show(self, settings: Settings) -> None:
        self.destination.choose(settings.destination)
        self.opacity.show_exact(settings.opacity)
        self.group.setChecked(settings.group)
        self.keep_upscaled.setChecked(settings.keep_upscaled)
        self.masked.setChecked(settings.mask)
