"""Train the base or the refiner UNet.  `python -m tools.train_starter.diffusion base --minutes 65`."""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import UNet2DConditionModel
from tools.train_starter.common import Average, Clock, Crops, Run, blur
from tools.train_starter.data import ROOT
from torch import Tensor

from scumble_core.models.starter.codec import HaarAutoencoder
from scumble_core.models.starter.model import TEXT_WIDTH
from scumble_core.sampling.sigmas import training_sigmas

REFINER_TOP = 380  # highest timestep the refiner learns; sigma 1.1
SOFT_SHARE = 0.5  # of the refiner's batches' pictures: softened, with the sharp picture as target
SOFT_FLOOR = 0.25  # below this sigma a softened picture's loss stops growing


def new_unet() -> Any:
    """12.6 M parameters, most of its work on the finest latents, no attention: tiles of any size behave alike."""
    return UNet2DConditionModel(
        sample_size=128,
        in_channels=48,
        out_channels=48,
        down_block_types=("DownBlock2D",) * 3,
        up_block_types=("UpBlock2D",) * 3,
        mid_block_type=None,
        block_out_channels=(96, 160, 224),
        layers_per_block=2,
        norm_num_groups=8,
        attention_head_dim=8,
        cross_attention_dim=TEXT_WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=TEXT_WIDTH + 6 * 8,
    )


def soften(sharp: Tensor, rng: np.random.Generator) -> Tensor:
    """B x 3 x 128 x 128: enlarged from half the size or thereabouts, or lightly blurred."""
    kind = rng.random()
    size = sharp.shape[-1]
    if kind < 0.15:
        return blur(sharp, rng.uniform(0.5, 1.4), reach=4)
    small = size // 2 if kind < 0.7 else int(rng.integers(size // 4, int(size / 1.3)))
    reduced = F.interpolate(sharp, (small, small), mode="bicubic", antialias=True).clamp(0, 1)
    mode = "bicubic" if rng.random() < 0.8 else "bilinear"
    return F.interpolate(reduced, (size, size), mode=mode).clamp(0, 1)


def conditioning(count: int) -> dict[str, Any]:
    """The text the starter models ignore."""
    return {
        "encoder_hidden_states": torch.zeros(count, 1, TEXT_WIDTH),
        "added_cond_kwargs": {"text_embeds": torch.zeros(count, TEXT_WIDTH), "time_ids": torch.zeros(count, 6)},
    }


def loss_of(unet: Any, codec: HaarAutoencoder, crops: Crops, kind: str, late: bool) -> Tensor:
    """One batch's loss; `late` batches are larger crops, nearer to the tiles the model will see."""
    count, size = (9, 128) if late else (16, 96)
    pixels = crops.batch(count)
    if kind == "refiner":
        timesteps = torch.rand(count) * REFINER_TOP
        soft_count = round(count * SOFT_SHARE)
        half = soft_count // 2
        softened = torch.cat(
            (soften(pixels[:half], crops.rng), soften(pixels[half:soft_count], crops.rng), pixels[soft_count:])
        )
        pair = crops.window(torch.cat((pixels, softened)), size)
        sharp, given = codec.encode(pair).chunk(2)
    else:
        timesteps = torch.rand(count) ** 1.5 * 1000
        soft_count = 0
        sharp = given = codec.encode(crops.window(pixels, size))
    timesteps = timesteps.long()
    sigma = training_sigmas()[timesteps][:, None, None, None]
    noisy = given + sigma * torch.randn_like(given)
    scaled = (noisy / (sigma**2 + 1).sqrt()).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        predicted = unet(scaled, timesteps, **conditioning(count)).sample
    error = (predicted.float() - (noisy - sharp) / sigma).square().mean((1, 2, 3))
    if soft_count:
        weight = torch.ones(count)
        weight[:soft_count] = (sigma**2 / (sigma**2 + SOFT_FLOOR**2)).flatten()[:soft_count]
        error = error * weight
    return error.mean()


def main() -> None:
    """Train until the budget is spent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("base", "refiner"))
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--start-from", type=Path, help="another run's checkpoint to take the first weights from")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    seed = time.time_ns() % 2**31  # a resumed run must not repeat its first batches
    torch.manual_seed(seed)
    random.seed(seed)
    crops = Crops(seed)
    codec_path = ROOT / "autoencoder.safetensors"
    if not codec_path.exists():
        HaarAutoencoder.fitted(torch.cat([crops.batch(500) for _ in range(6)])).save(codec_path)
    codec = HaarAutoencoder.load(codec_path)
    unet = new_unet()
    if arguments.start_from:
        unet.load_state_dict(torch.load(arguments.start_from, weights_only=True)["average"])
    unet = unet.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=arguments.rate, betas=(0.9, 0.99), weight_decay=1e-3)
    run = Run(ROOT / f"{arguments.kind}.pt", unet, optimizer, Average(unet), Clock(arguments.minutes * 60))
    run.train(lambda: loss_of(unet, codec, crops, arguments.kind, late=run.clock.progress > 0.85), arguments.rate)


if __name__ == "__main__":
    main()
