"""The fixtures: one Krita for all tests here, with the plugin imported by Krita's own importer."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.krita.panel import Panel
from tests.krita.session import KritaSession, missing_programs

from scumble_bridge.places import write_core_command
from scumble_core.jobs.command import CORE
from scumble_core.krita.package import build_zip

SHOTS = Path(__file__).parents[2] / "build" / "krita"
IMPORT = """
import sys, os
from plugin_importer.plugin_importer import PluginImporter
importer = PluginImporter({zip!r}, {resources!r}, lambda plugin: True)
result = [plugin["name"] for plugin in importer.import_all()]
"""


@pytest.fixture(scope="session")
def krita(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KritaSession]:
    missing = missing_programs()
    if missing:
        reason = f"missing: {', '.join(missing)}"
        if os.environ.get("SCUMBLE_REQUIRE_KRITA"):
            pytest.fail(reason)
        pytest.skip(reason)
    session = KritaSession(tmp_path_factory.mktemp("krita"))
    archive = session.home / "scumble.zip"
    build_zip(archive)
    try:
        session.start()
        resources = session.home / ".local/share/krita"
        imported = session.run(IMPORT.format(zip=str(archive), resources=str(resources)))
        assert imported == ["scumble"], imported
        session.quit()
        settings = session.home / ".config/kritarc"
        if "enable_scumble=true" not in settings.read_text():
            # What the importer's dialog does after "Yes".
            settings.write_text(settings.read_text().replace("[python]\n", "[python]\nenable_scumble=true\n"))
        write_core_command(session.data, CORE)
        picture = session.home / "in.png"
        save_picture(picture)
        session.start(picture)
        yield session
    finally:
        session.close()


@pytest.fixture(autouse=True)
def kept_picture(request: pytest.FixtureRequest) -> Iterator[None]:
    """How Krita looks at the end of each test: build/krita/NAME.png, kept by CI.

    A Krita that a test before this one has lost is started anew: a crash fails one test, not all that follow.
    """
    if "krita" in request.fixturenames:
        session: KritaSession = request.getfixturevalue("krita")
        if not session.is_running:
            session.start(session.home / "in.png")
    yield
    if "krita" in request.fixturenames:
        SHOTS.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            request.getfixturevalue("krita").screenshot(SHOTS / f"{name}.png")


@pytest.fixture
def panel(krita: KritaSession) -> Panel:
    """A fresh document, the panel at its defaults and large enough, and words for what an artist does."""
    return Panel(krita).roomy()


def save_picture(path) -> None:
    """192 x 128 of smooth shapes and some grain."""
    y, x = np.mgrid[0:128, 0:192].astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 3, (128, 192, 3))
    waves = np.stack([128 + 80 * np.sin(x / 17), 128 + 80 * np.sin(y / 13), 128 + 80 * np.sin((x + y) / 23)], axis=2)
    Image.fromarray(np.clip(waves + grain, 0, 255).astype(np.uint8)).save(path)
