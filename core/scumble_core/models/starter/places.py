"""Where the starter weights lie. No torch here."""

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
AUTOENCODER = WEIGHTS / "autoencoder.safetensors"


def unet_folder(kind: str) -> Path:
    """`kind` is "base" or "refiner"; the folder is in diffusers' layout."""
    return WEIGHTS / kind


def upscaler_path(scale: int) -> Path:
    """`scale` is 2 or 4."""
    return WEIGHTS / f"upscaler-x{scale}.safetensors"
