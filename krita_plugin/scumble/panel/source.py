"""What is sent: the canvas, a layer or group, or the selection, with a small picture of exactly that."""

from dataclasses import replace
from typing import cast

from scumble.guard import guarded
from scumble.host.contract import LayerChoice, Source, Wanted
from scumble.panel.layers import LayerPicker
from scumble.panel.look import GAP, note, tight
from scumble.panel.widgets import Choice, Part, Rows
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.settings import Settings
from scumble.words import tr

THUMBNAIL = 64
_SQUARE = 6


class SourcePicker(Part):
    """`look_wanted`: the list of layers is about to be opened; `show_layers` may renew it."""

    look_wanted = QtCore.pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.source = Choice(
            "scumble_source",
            tr("What is refined. The rest of the picture stays as it is."),
            (("canvas", tr("Whole picture")), ("layer", tr("Layer or group")), ("selection", tr("Selection"))),
        )
        self.layer = LayerPicker(
            "scumble_layer", tr("Which layer or group is refined, alone and on nothing."), tr("Active layer")
        )
        self.layer.opened.connect(self.look_wanted)
        self.thumbnail = Thumbnail()
        self.words = note("scumble_source_words")
        rows = Rows(self)
        rows.field(tr("S&ource"), self.source)
        self._layer_label = rows.field(tr("Layer"), self.layer)
        seen = QtWidgets.QHBoxLayout()
        tight(seen)
        seen.addWidget(self.thumbnail)
        seen.addWidget(self.words, 1)
        rows.addRow(seen)
        for choice in (self.source, self.layer):
            choice.currentIndexChanged.connect(self._chosen)
        self._chosen()
        self.say("")

    @property
    def wanted(self) -> Wanted:
        """What is chosen."""
        return self.into(Settings()).wanted

    def into(self, settings: Settings) -> Settings:
        return replace(settings, source=cast(Source, self.source.chosen), layer=self.layer.chosen)

    def show_layers(self, layers: "tuple[LayerChoice, ...]") -> None:
        """All of the document, the uppermost first; those that may be sent are offered."""
        self.layer.show_layers(layer for layer in layers if layer.is_source)

    def show_thumbnail(self, image: "QtGui.QImage | None") -> None:
        """What would be sent; None while that isn't known."""
        self.thumbnail.show_image(image)

    def say(self, words: str) -> None:
        """What would be sent, in words: size, colours; or why it can't be."""
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.thumbnail.setAccessibleDescription(words)

    def _show(self, settings: Settings) -> None:
        self.source.choose(settings.source)
        self.layer.choose(settings.layer)

    @guarded
    def _chosen(self, *_index: int) -> None:
        for part in (self.layer, self._layer_label):
            part.setVisible(self.source.chosen == "layer")
        self._edited()


class Thumbnail(QtWidgets.QWidget):
    """A picture on a chequered ground, as Krita shows what is transparent."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("scumble_thumbnail")
        self.setAccessibleName(tr("What will be sent"))
        self.setToolTip(tr("Exactly what will be sent: hidden layers and Scumble’s own results are left out."))
        self._image = QtGui.QImage()
        self.hide()

    def show_image(self, image: "QtGui.QImage | None") -> None:
        self._image = image if image is not None else QtGui.QImage()
        self.setVisible(not self._image.isNull())
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QtCore.QSize:
        keep = QtCore.Qt.AspectRatioMode.KeepAspectRatio
        return self._image.size().scaled(THUMBNAIL, THUMBNAIL, keep).expandedTo(QtCore.QSize(GAP, GAP))

    def minimumSizeHint(self) -> QtCore.QSize:
        return self.sizeHint()

    def paintEvent(self, _event: "QtGui.QPaintEvent | None") -> None:
        roles = QtGui.QPalette.ColorRole
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        place = QtCore.QRect(QtCore.QPoint(0, 0), self.sizeHint())
        painter.fillRect(place, self.palette().color(roles.Base))
        for row in range(0, place.height(), _SQUARE):
            for column in range(0, place.width(), 2 * _SQUARE):
                square = QtCore.QRect(column + row % (2 * _SQUARE), row, _SQUARE, _SQUARE).intersected(place)
                painter.fillRect(square, self.palette().color(roles.Mid))
        painter.drawImage(place, self._image)
        painter.end()
