"""Write the trained weights into the package: `python -m tools.train_starter.export [NAME ...]`.

UNets are kept in half precision (they run in float32 or bfloat16; the rounding is far below their error), the small
upscalers in full.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tools.train_starter.data import ROOT
from tools.train_starter.diffusion import new_unet

WEIGHTS = Path(__file__).resolve().parents[2] / "core/scumble_core/models/starter/weights"
NAMES = {"base": "base", "refiner": "refiner", "x2": "upscaler-x2", "x4": "upscaler-x4"}


def export(name: str) -> Path:
    """The moving average of one checkpoint, as safetensors."""
    state = torch.load(ROOT / f"{name}.pt", weights_only=True)
    weights = {k: v.contiguous() for k, v in state["average"].items()}
    if name in ("x2", "x4"):
        path = WEIGHTS / f"{NAMES[name]}.safetensors"
        save_file(weights, path, {"kind": "scumble-starter-upscaler", "steps": str(state["steps"])})
        return path
    folder = WEIGHTS / NAMES[name]
    folder.mkdir(parents=True, exist_ok=True)
    unet = new_unet()
    unet.load_state_dict(weights)
    config = {k: v for k, v in unet.config.items() if not k.startswith("_")}
    (folder / "config.json").write_text(json.dumps({"_class_name": "UNet2DConditionModel", **config}, indent=2) + "\n")
    path = folder / "diffusion_pytorch_model.safetensors"
    save_file({k: v.half() for k, v in weights.items()}, path, {"format": "pt", "steps": str(state["steps"])})
    return path


def main() -> None:
    """Export what there is, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []])
    names = parser.parse_args().names or [name for name in NAMES if (ROOT / f"{name}.pt").exists()]
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "autoencoder.safetensors", WEIGHTS / "autoencoder.safetensors")
    for name in names:
        path = export(name)
        print(f"{path} {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
