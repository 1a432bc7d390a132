"""Load a full-size SDXL in bfloat16 on the CPU and take one step on a 512 px tile: python -m benchmarks.sdxl_full.

Prints seconds and the peak of resident memory, and fails above 12 GB. The model (7 GB, random weights) is made in
--folder first, by a process of its own, and left there if --keep is given. Takes minutes; no part of ./test.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_BYTES = 12e9
SIDE = 512


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the model lies or is to lie; default: a temporary folder")
    parser.add_argument("--keep", action="store_true", help="leave the model there")
    parser.add_argument("--make", action="store_true", help="make the model, and nothing else")
    parser.add_argument("--threads", type=int, default=0, help="torch's threads; 0: its own choice")
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="sdxl-full-"))
    if args.make:
        from benchmarks.full_size import save_full_sdxl

        save_full_sdxl(folder)
        return 0
    try:
        subprocess.run([sys.executable, "-m", "benchmarks.sdxl_full", "--make", "--folder", str(folder)], check=True)
        return _measure(folder, args.threads)
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, threads: int) -> int:
    import torch

    from scumble_core.models.checkpoints.load import load_model
    from scumble_core.models.detect import detect
    from scumble_core.models.device import Device
    from scumble_core.picture.geometry import Extent

    if threads:
        torch.set_num_threads(threads)
    _say("start", 0.0)
    began = time.monotonic()
    model = load_model(detect(folder), Device("cpu", torch.bfloat16))
    _say("load", time.monotonic() - began)
    began = time.monotonic()
    prompt = model.encode_prompt("a photo of a cat", Extent(SIDE, SIDE))
    _say("prompt", time.monotonic() - began)
    began = time.monotonic()
    latent = model.encode(torch.rand(1, 3, SIDE, SIDE))
    _say("encode", time.monotonic() - began)
    began = time.monotonic()
    predicted = model.denoise(latent + 0.6 * torch.randn_like(latent), 0.6, prompt)
    _say("step", time.monotonic() - began)
    began = time.monotonic()
    pixels = model.decode(predicted)
    _say("decode", time.monotonic() - began)
    finite = bool(torch.isfinite(pixels).all())
    within = _peak() <= LIMIT_BYTES
    print(f"finite: {finite}; peak {_peak() / 1e9:.2f} GB of {LIMIT_BYTES / 1e9:.0f} GB")
    return 0 if finite and within else 1


def _say(what: str, seconds: float) -> None:
    print(f"{what:8} {seconds:7.1f} s   peak {_peak() / 1e9:6.2f} GB", flush=True)


def _peak() -> int:
    """Of resident memory, files mapped into it included, in bytes; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())
