"""How long the index takes for many models: a first look, a second one, and what the core does when it starts.

    python -m benchmarks.model_index [--files 1000]

The files are sparse, with the names and shapes of a LoRA (722 layers) each: what costs time is reading their heads.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scumble_core.models.finding import Place
from scumble_core.models.index import ModelIndex
from scumble_core.models.library import choices

LAYERS = 722


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        _fill(models, files)
        with ModelIndex.open(models) as index:
            places = [Place(models, "scumble")]
            _timed(f"first look at {files} files", lambda: index.refresh(places))
            _timed("second look, nothing changed", lambda: index.refresh(places))
            _timed("reading all rows", index.entries)
        _timed("choices(), as the core asks for them", lambda: choices(models))
        code = (
            f"from pathlib import Path; from scumble_core.models.library import choices; choices(Path({str(models)!r}))"
        )
        _timed(
            "the same in a new process, Python's start included",
            lambda: subprocess.run([sys.executable, "-c", code], check=True),
        )


def _fill(models: Path, files: int) -> None:
    """`files` LoRA in folders of fifty."""
    head: dict[str, object] = {}
    place = 0
    for layer in range(LAYERS):
        name = f"lora_unet_down_blocks_1_attentions_0_transformer_blocks_{layer}_attn2_to_k"
        for part, shape in ((f"{name}.lora_down.weight", [16, 2048]), (f"{name}.lora_up.weight", [640, 16])):
            end = place + shape[0] * shape[1] * 2
            head[part] = {"dtype": "F16", "shape": shape, "data_offsets": [place, end]}
            place = end
    data = json.dumps(head).encode()
    for number in range(files):
        path = models / str(number // 50) / f"style {number}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(len(data).to_bytes(8, "little") + data)
            file.truncate(8 + len(data) + place)


def _timed(what: str, run: Callable[[], object]) -> None:
    began = time.perf_counter()
    run()
    print(f"{what}: {(time.perf_counter() - began) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
