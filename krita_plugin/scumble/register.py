"""Hand the docker and the actions to Krita."""

# krita comes first: it loads the PyQt that all else must share.
from krita import DockWidgetFactory, DockWidgetFactoryBase, Extension, Krita, Window

from scumble.actions import create_actions
from scumble.panel.docker import ScumbleDocker
from scumble.panel.panel import ScumblePanel
from scumble.panel.wishes import Wishes
from scumble.qt import QtCore
from scumble.studio import Studio

DOCKER_ID = "scumble_docker"


class Dockers:
    """Makes them, and knows the one in front."""

    def __init__(self) -> None:
        self._studio: Studio | None = None
        self._made: list[ScumbleDocker] = []

    def make(self) -> ScumbleDocker:
        """For a window that opens."""
        if self._studio is None:
            self._studio = Studio()
        docker = ScumbleDocker(self._studio.panel)
        self._made.append(docker)
        docker.destroyed.connect(lambda: self._made.remove(docker))
        docker.panel.tiles.grid.toggled.connect(_mark_grid)
        return docker

    def active(self) -> "ScumbleDocker | None":
        """Of the window in front."""
        window = Krita.instance().activeWindow()
        front = None if window is None else window.qwindow()
        return next((docker for docker in self._made if docker.window() == front), None)

    def panel(self) -> "ScumblePanel | None":
        """Its panel."""
        docker = self.active()
        return None if docker is None else docker.panel

    def show(self) -> None:
        """Bring the docker to the front."""
        docker = self.active()
        if docker is not None:
            docker.setVisible(True)
            docker.raise_()
            # From here on the Tab key leads through the panel.
            docker.panel.form.presets.choice.setFocus(QtCore.Qt.FocusReason.ShortcutFocusReason)


class ScumbleExtension(Extension):
    """Puts the actions into Tools > Scripts."""

    def __init__(self, parent: Krita, dockers: Dockers) -> None:
        super().__init__(parent)
        self._dockers = dockers

    def setup(self) -> None:
        """Nothing: the docker has its own factory."""

    def createActions(self, window: Window) -> None:
        """Called by Krita for each window."""
        wishes = {
            "scumble_refine": Wishes.refine,
            "scumble_refine_selection": Wishes.refine_selection,
            "scumble_test_tile": Wishes.test_tile,
            "scumble_redo_tile": Wishes.redo_tile,
            "scumble_tile_grid": Wishes.toggle_grid,
            "scumble_before_after": Wishes.turn,
            "scumble_pause": Wishes.pause,
            "scumble_cancel": Wishes.cancel,
        }

        def doing(name: str) -> None:
            panel = self._dockers.panel()
            if panel is not None:
                wishes[name](panel.wishes)

        doings = {name: lambda name=name: doing(name) for name in wishes}
        create_actions(window, {**doings, "scumble_show_docker": self._dockers.show})


def _mark_grid(wanted: bool) -> None:
    """The menu shows what the panel's box shows."""
    action = Krita.instance().action("scumble_tile_grid")
    if action is not None:
        action.setChecked(wanted)


def register() -> None:
    """Called once, when Krita loads the plugin."""
    krita, dockers = Krita.instance(), Dockers()
    place = getattr(DockWidgetFactoryBase, "DockPosition", DockWidgetFactoryBase).DockRight
    krita.addDockWidgetFactory(DockWidgetFactory(DOCKER_ID, place, dockers.make))
    krita.addExtension(ScumbleExtension(krita, dockers))
