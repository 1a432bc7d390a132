"""Hand the docker to Krita."""

# krita comes first: it loads the PyQt that all else must share.
from krita import DockWidgetFactory, DockWidgetFactoryBase, Krita

from scumble.panel.docker import RefineDocker

DOCKER_ID = "scumble_docker"


def register() -> None:
    """Called once, when Krita loads the plugin."""
    place = getattr(DockWidgetFactoryBase, "DockPosition", DockWidgetFactoryBase).DockRight
    Krita.instance().addDockWidgetFactory(DockWidgetFactory(DOCKER_ID, place, RefineDocker))
