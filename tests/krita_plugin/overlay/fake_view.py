"""Widgets and libkis objects as Krita nests them, with a picture that the test lays where it likes."""

from scumble.qt import QtCore, QtGui, QtWidgets


class KisQPainterCanvas(QtWidgets.QWidget):
    """Grey, like an empty picture."""

    def __init__(self, viewport):
        super().__init__(viewport)
        self.setMouseTracking(True)
        self.pressed = []

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QtGui.QColor(128, 128, 128))
        painter.end()

    def mousePressEvent(self, event):
        self.pressed.append(event.position())


class KoCanvasControllerWidget(QtWidgets.QAbstractScrollArea):
    """The real one fits its canvas to the viewport, too."""

    def __init__(self):
        super().__init__()
        self.canvas = KisQPainterCanvas(self.viewport())
        for bar in (self.horizontalScrollBar(), self.verticalScrollBar()):
            bar.setRange(-5000, 5000)

    def replace_canvas(self):
        self.canvas.setParent(None)
        self.canvas.deleteLater()
        self.canvas = KisQPainterCanvas(self.viewport())
        self.canvas.setGeometry(self.viewport().rect())
        self.canvas.show()

    def resizeEvent(self, event):
        self.canvas.setGeometry(self.viewport().rect())


class FakeDocument:
    def __init__(self, width, height):
        self.size = width, height

    def width(self):
        return self.size[0]

    def height(self):
        return self.size[1]

    def xRes(self):
        return 72.0

    def yRes(self):
        return 72.0


class FakeCanvas:
    """72 pixels an inch: its zoom is the scale."""

    def __init__(self, view):
        self._view = view

    def zoomLevel(self):
        return self._view.zoom

    def rotation(self):
        return self._view.angle

    def mirror(self):
        return self._view.mirrored


class FakeView:
    def __init__(self, document):
        self.zoom, self.angle, self.mirrored = 1.0, 0.0, False
        self._document = document

    def canvas(self):
        return None if self._document is None else FakeCanvas(self)

    def document(self):
        return self._document

    def end(self):
        self._document = None


class FakeWindow:
    """The main window with its views, each under a key of its own."""

    def __init__(self):
        self.main = QtWidgets.QMainWindow()
        self.area = QtWidgets.QMdiArea()
        self.area.setViewMode(QtWidgets.QMdiArea.ViewMode.TabbedView)
        self.main.setCentralWidget(self.area)
        self.button = QtWidgets.QPushButton()
        docker = QtWidgets.QDockWidget()
        docker.setWidget(self.button)
        self.main.addDockWidget(QtCore.Qt.DockWidgetArea.RightDockWidgetArea, docker)
        self.main.resize(800, 560)
        self.views = {}
        self.controllers = {}
        self.main.show()

    def open(self, key, width=400, height=300):
        inside = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        controller = KoCanvasControllerWidget()
        layout.addWidget(controller)
        inside.setProperty("key", key)
        self.views[key] = FakeView(FakeDocument(width, height))
        self.controllers[key] = controller
        frame = self.area.addSubWindow(inside)
        frame.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        frame.showMaximized()
        return self.views[key]

    def activate(self, key):
        frames = [each for each in self.area.subWindowList() if each.widget().property("key") == key]
        self.area.setActiveSubWindow(frames[0])

    def close(self, key):
        self.views[key].end()
        next(each for each in self.area.subWindowList() if each.widget().property("key") == key).close()

    @property
    def canvas(self):
        """The active view's canvas widget."""
        return self.controllers[self.key()].canvas

    def key(self):
        frame = self.area.currentSubWindow()
        return "" if frame is None else frame.widget().property("key")

    def qwindow(self):
        return self.main

    def activeView(self):
        return self.views.get(self.key())
