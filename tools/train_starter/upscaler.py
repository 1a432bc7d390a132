"""Train the x2 or x4 upscaler.  `python -m tools.train_starter.upscaler 2 --minutes 15`."""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact
from tools.train_starter.common import Average, Clock, Crops, Run, blur
from tools.train_starter.data import ROOT
from torch import Tensor

FEATURES = 48
CONVOLUTIONS = 14
CLEAN_SHARE = 0.7  # of the pictures: bicubic and nothing else


def new_upscaler(scale: int) -> torch.nn.Module:
    """Compact, as spandrel detects it."""
    model: torch.nn.Module = SRVGGNetCompact(num_feat=FEATURES, num_conv=CONVOLUTIONS, upscale=scale, act_type="prelu")
    return model


def shrink(sharp: Tensor, scale: int, rng: np.random.Generator) -> Tensor:
    """B x 3 x H x W -> B x 3 x H/scale x W/scale, rounded to 8 bits; clean or, by the share, degraded."""
    size = (sharp.shape[-2] // scale, sharp.shape[-1] // scale)
    if rng.random() < CLEAN_SHARE:
        small = F.interpolate(sharp, size, mode="bicubic", antialias=True)
        return (small.clamp(0, 1) * 255).round() / 255
    pictures = [_degrade(picture, size, rng) for picture in sharp]
    return torch.stack(pictures)


def _degrade(sharp: Tensor, size: tuple[int, int], rng: np.random.Generator) -> Tensor:
    if rng.random() < 0.3:
        sharp = blur(sharp[None], rng.uniform(0.3, 0.9), reach=3)[0]
    image = Image.fromarray((sharp.permute(1, 2, 0) * 255).round().clamp(0, 255).byte().numpy())
    method = rng.choice(["bicubic", "box", "lanczos"])
    filters = {"bicubic": Image.Resampling.BICUBIC, "box": Image.Resampling.BOX, "lanczos": Image.Resampling.LANCZOS}
    image = image.resize((size[1], size[0]), filters[str(method)])
    if rng.random() < 0.3:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(75, 98)))
        image = Image.open(buffer)
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    if rng.random() < 0.2:
        pixels = pixels + torch.randn_like(pixels) * rng.uniform(0.002, 0.012)
    return pixels.clamp(0, 1)


def start_from(model: torch.nn.Module, path: Path) -> None:
    """Take every weight that fits from another scale's checkpoint: all but the last convolution."""
    own = model.state_dict()
    other = torch.load(path, weights_only=True)["average"]
    model.load_state_dict({k: other[k] if k in other and other[k].shape == v.shape else v for k, v in own.items()})


def main() -> None:
    """Train until the budget is spent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scale", type=int, choices=(2, 4))
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--start-from", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seed = time.time_ns() % 2**31
    torch.manual_seed(seed)
    crops = Crops(seed)
    model = new_upscaler(arguments.scale)
    if arguments.start_from:
        start_from(model, arguments.start_from)
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.rate, betas=(0.9, 0.99), weight_decay=0)
    run = Run(ROOT / f"x{arguments.scale}.pt", model, optimizer, Average(model), Clock(arguments.minutes * 60))

    def batch_loss() -> Tensor:
        sharp = crops.window(crops.batch(16), 96 if arguments.scale == 2 else 128)
        small = shrink(sharp, arguments.scale, crops.rng).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            large = model(small)
        return (large.float() - sharp).abs().mean()

    run.train(batch_loss, arguments.rate)


if __name__ == "__main__":
    main()
