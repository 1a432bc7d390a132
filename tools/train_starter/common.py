"""What both trainings share: batches, the wall-clock schedule, the moving average, checkpoints that resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from tools.train_starter.data import CROP, ROOT
from torch import Tensor, nn


class Crops:
    """Random batches from the memory-mapped crops."""

    def __init__(self, seed: int) -> None:
        self.array = np.load(ROOT / "crops.npy", mmap_mode="r")
        self.rng = np.random.default_rng(seed)

    def batch(self, count: int) -> Tensor:
        """`count` x 3 x 128 x 128 float in [0, 1], each flipped and turned at random."""
        indices = self.rng.integers(len(self.array), size=count)
        out = np.empty((count, CROP, CROP, 3), np.uint8)
        for slot, index in enumerate(indices):
            crop = np.rot90(self.array[index], int(self.rng.integers(4)))
            out[slot] = crop[:, ::-1] if self.rng.random() < 0.5 else crop
        return torch.from_numpy(out).permute(0, 3, 1, 2).float() / 255

    def window(self, pixels: Tensor, size: int) -> Tensor:
        """One random `size` x `size` window of a batch."""
        y, x = (int(self.rng.integers(CROP - size + 1)) for _ in range(2))
        return pixels[..., y : y + size, x : x + size]


@dataclass(slots=True)
class Clock:
    """Training time so far against its budget, both in seconds; survives a resume."""

    budget: float
    spent: float = 0.0
    steps: int = 0

    @property
    def progress(self) -> float:
        """0 to 1."""
        return min(1.0, self.spent / self.budget)

    def rate(self, peak: float) -> float:
        """Warm-up over 150 steps, then a cosine to 2 % that surely ends with the budget."""
        cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.progress))
        return peak * cosine * min(1.0, (self.steps + 1) / 150)


class Average:
    """Exponential moving average of the weights, quick at first."""

    def __init__(self, model: nn.Module) -> None:
        self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, steps: int) -> None:
        """Call once a step."""
        decay = min(0.999, (1 + steps) / (10 + steps))
        for name, value in model.state_dict().items():
            self.weights[name].lerp_(value, 1 - decay)


@dataclass(slots=True)
class Run:
    """One training: model, optimizer, average, clock and the file they are kept in."""

    path: Path
    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average
    clock: Clock
    saved: float = 0.0

    def resume(self) -> None:
        """Continue from the file, if it is there."""
        if not self.path.exists():
            return
        state = torch.load(self.path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.weights = state["average"]
        self.clock.spent, self.clock.steps = state["spent"], state["steps"]
        print(f"resumed {self.path.name} at step {self.clock.steps}, {self.clock.spent:.0f} s", flush=True)

    def save(self) -> None:
        """Write to a side file first, so that a kill leaves the last good checkpoint."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.weights,
            "spent": self.clock.spent,
            "steps": self.clock.steps,
        }
        side = self.path.with_suffix(".part")
        torch.save(state, side)
        side.replace(self.path)
        self.saved = time.monotonic()

    def train(self, batch_loss: Callable[[], Tensor], peak: float) -> None:
        """Go on from the checkpoint, if there is one, until the budget is spent; `batch_loss` makes the next loss."""
        self.resume()
        self.saved = time.monotonic()
        recent: list[float] = []
        last = 0.0
        while self.clock.progress < 1:
            began = time.monotonic()
            loss = batch_loss()
            recent.append(float(loss.detach()))
            self._step(loss, peak, last)
            last = time.monotonic() - began
            if self.clock.steps % 100 == 0:
                print(
                    f"{time.strftime('%H:%M:%S')} {self.path.stem} step {self.clock.steps} "
                    f"loss {sum(recent) / len(recent):.5f} progress {self.clock.progress:.3f} {last:.2f} s/step",
                    flush=True,
                )
                recent.clear()
        self.save()

    def _step(self, loss: Tensor, peak: float, seconds: float) -> None:
        """One optimizer step; `seconds` is what the step before it took."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.clock.rate(peak)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.average.update(self.model, self.clock.steps)
        self.clock.steps += 1
        self.clock.spent += seconds
        if time.monotonic() - self.saved > 170:
            self.save()


def blur(pixels: Tensor, sigma: float, reach: int) -> Tensor:
    """B x 3 x H x W under a Gaussian that is cut off after `reach` pixels."""
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    side = 2 * reach + 1
    kernel = (torch.outer(line, line) / line.sum() ** 2).expand(3, 1, side, side)
    return F.conv2d(F.pad(pixels, (reach,) * 4, mode="reflect"), kernel, groups=3)
