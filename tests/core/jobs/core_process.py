"""`scumble serve` as it is, but with the tiny worker: a process of its own, for tests.

Usage: core_process.py [--started-by-plugin] [idle seconds]; the folders come from the environment.
"""

import sys
from pathlib import Path

from scumble_core.jobs.serve import Settings, serve

TINY_WORKER = (sys.executable, str(Path(__file__).with_name("tiny_worker.py")))

if __name__ == "__main__":
    numbers = [word for word in sys.argv[1:] if not word.startswith("-")]
    settings = Settings(float(numbers[0]) if numbers else None)
    sys.exit(serve("--started-by-plugin" in sys.argv, settings, TINY_WORKER))
