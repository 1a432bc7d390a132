"""AUTOMATIC1111's Stable Diffusion web UI, and Forge, which keeps to its folders.

Facts: modules/paths_internal.py and modules/cmd_args.py of both; arguments stand in webui-user.sh or webui-user.bat.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from scumble_core.models.detect.found import Kind
from scumble_core.models.finding.places import Place

FOLDERS: Mapping[str, Kind] = {
    "models/Stable-diffusion": "base", "models/diffusers": "base", "models/Lora": "lora", "models/LyCORIS": "lora",
    "models/VAE": "vae", "models/VAE-approx": "vae", "models/VAE-taesd": "vae", "models/ControlNet": "controlnet",
    "extensions/sd-webui-controlnet/models": "controlnet", "embeddings": "embedding",
    "models/ESRGAN": "upscaler", "models/RealESRGAN": "upscaler", "models/SwinIR": "upscaler", "models/DAT": "upscaler",
    "models/HAT": "upscaler", "models/BSRGAN": "upscaler", "models/ScuNET": "upscaler", "models/ATD": "upscaler",
    "models/text_encoder": "text_encoder",
}  # fmt: skip
ARGUMENTS: Mapping[str, Kind] = {
    "--ckpt-dir": "base", "--ckpt-dirs": "base", "--lora-dir": "lora", "--lora-dirs": "lora", "--lyco-dir": "lora",
    "--vae-dir": "vae", "--vae-dirs": "vae", "--controlnet-dir": "controlnet", "--embeddings-dir": "embedding",
    "--esrgan-models-path": "upscaler", "--realesrgan-models-path": "upscaler", "--swinir-models-path": "upscaler",
    "--dat-models-path": "upscaler", "--hat-models-path": "upscaler", "--text-encoder-dir": "text_encoder",
    "--text-encoder-dirs": "text_encoder",
}  # fmt: skip
LARGEST_SCRIPT = 1_000_000


def is_a1111(folder: Path) -> bool:
    return (folder / "models" / "Stable-diffusion").is_dir()


def a1111_places(root: Path) -> Iterator[Place]:
    """The places of one installation, and those that its start script names."""
    arguments = list(_arguments(root))
    data = [Path(value) for name, value in arguments if name in ("--data-dir", "--forge-ref-a1111-home")]
    for folder in (root, *(root / each for each in data)):
        for name, kind in FOLDERS.items():
            yield Place(folder / name, "a1111", kind)
    for name, value in arguments:
        if name == "--models-dir":
            for folder_name, kind in FOLDERS.items():
                if folder_name.startswith("models/"):
                    yield Place(root / value / folder_name.removeprefix("models/"), "a1111", kind)
        elif name in ARGUMENTS:
            yield Place(root / value, "a1111", ARGUMENTS[name])


def _arguments(root: Path) -> Iterator[tuple[str, Path]]:
    """Each option of the start scripts that is given a folder."""
    for script in ("webui-user.sh", "webui-user.bat"):
        for line in _lines(root / script):
            found = re.match(r"\s*(?:export\s+|set\s+)?\"?COMMANDLINE_ARGS=(.*)", line)
            words = _words(found[1], script.endswith(".bat")) if found else []
            for place, word in enumerate(words):
                name, equals, value = word.partition("=")
                if not name.startswith("--"):
                    continue
                if equals:
                    yield name, Path(value).expanduser()
                else:
                    for following in words[place + 1 :]:
                        if following.startswith("--"):
                            break
                        yield name, Path(following).expanduser()


def _words(text: str, windows: bool) -> list[str]:
    text = text.strip()
    if not windows and text[:1] in "\"'" and text[-1:] == text[:1]:
        text = text[1:-1]
    try:
        return [word.strip("\"'") for word in shlex.split(text, posix=not windows)]
    except ValueError:
        return []


def _lines(script: Path) -> list[str]:
    try:
        if not script.is_file() or script.stat().st_size > LARGEST_SCRIPT:
            return []
        lines = script.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if not line.lstrip().startswith(("#", "rem ", "REM ", "::"))]
