"""ComfyUI: `models/`, and all folders that extra_model_paths.yaml names.

Facts: ComfyUI's folder_paths.py and extra_model_paths.yaml.example; ComfyUI Desktop's extra_models_config.yaml and
shared_model_paths.yaml in its settings.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from scumble_core.models.detect.found import Kind
from scumble_core.models.finding.places import Place

KINDS: Mapping[str, Kind] = {
    "checkpoints": "base", "diffusers": "base", "loras": "lora", "vae": "vae", "vae_approx": "vae",
    "controlnet": "controlnet", "embeddings": "embedding", "upscale_models": "upscaler",
    "latent_upscale_models": "unknown", "diffusion_models": "transformer", "unet": "transformer",
    "text_encoders": "text_encoder", "clip": "text_encoder",
}  # fmt: skip
EXTRA = "extra_model_paths.yaml"
LARGEST_YAML = 1_000_000


def is_comfyui(folder: Path) -> bool:
    """Whether this is an installation, or its folder of models and the like."""
    return (folder / "models" / "checkpoints").is_dir() or (folder / EXTRA).is_file()


def comfyui_places(root: Path) -> Iterator[Place]:
    """The places of one installation."""
    for name, kind in KINDS.items():
        yield Place(root / "models" / name, "comfyui", kind)
    yield from extra_places(root / EXTRA)


def extra_places(listing: Path) -> Iterator[Place]:
    """Those that a list of paths names. One that can't be read names none: it is not ours to mend."""
    for section in _sections(listing):
        base = listing.parent / _expanded(section.get("base_path", ""))
        for name, kind in KINDS.items():
            for line in str(section.get(name) or "").splitlines():
                if line.strip():
                    yield Place(base / _expanded(line.strip()), "comfyui", kind)


def _sections(listing: Path) -> list[Mapping[str, object]]:
    import yaml  # type: ignore[import-untyped]

    try:
        if not listing.is_file() or listing.stat().st_size > LARGEST_YAML:
            return []
        values = yaml.safe_load(listing.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return []
    sections = values.values() if isinstance(values, dict) else ()
    return [section for section in sections if isinstance(section, dict)]


def _expanded(path: object) -> Path:
    """Backslashes are separators here: the file may come from Windows, or from somebody who writes like it."""
    text = os.path.expandvars(str(path or ""))
    return Path(text if os.name == "nt" else text.replace("\\", "/")).expanduser()
