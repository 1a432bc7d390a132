"""`scumble krita`: put the plugin into Krita, take it out, or make the archive that Krita's importer accepts."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scumble_core.krita.install import install as install_plugin
from scumble_core.krita.install import uninstall as uninstall_plugin
from scumble_core.krita.package import build_zip

Folder = Annotated[
    Path | None, typer.Option("--resources", help="Krita's resource folder, if it is not the usual one.")
]


def app() -> typer.Typer:
    """The sub-commands."""
    commands = typer.Typer(no_args_is_help=True, help="Install the plugin into Krita, or remove it.")
    commands.command("install")(install)
    commands.command("uninstall")(uninstall)
    commands.command("zip")(make_zip)
    return commands


def install(resources: Folder = None) -> None:
    """Copy the plugin into Krita's folder and switch it on."""
    place = install_plugin(resources)
    Console(soft_wrap=True).print(
        f"Installed in {place}. Start Krita anew; the docker is under Settings > Dockers > Scumble."
    )


def uninstall(resources: Folder = None) -> None:
    """Take the plugin out of Krita's folder and switch it off."""
    place = uninstall_plugin(resources)
    Console(soft_wrap=True).print("Nothing was installed." if place is None else f"Removed {place}.")


def make_zip(output: Annotated[Path, typer.Argument(help="The archive to write.")] = Path("scumble.zip")) -> None:
    """Make the archive for Tools > Scripts > Import Python Plugin from File."""
    build_zip(output)
    Console(soft_wrap=True).print(f"Wrote {output.resolve()}.")
