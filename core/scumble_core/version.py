"""Which Scumble this is."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The version of the installed distribution."""
    try:
        return version("scumble")
    except PackageNotFoundError:
        return "not installed"
