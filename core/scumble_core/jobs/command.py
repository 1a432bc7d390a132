"""How this installation's processes are started. Nothing heavy is imported here: every command line call reads it."""

import sys

WORKER = (sys.executable, "-m", "scumble_core.jobs.worker")
CORE = (sys.executable, "-m", "scumble_core", "serve", "--started-by-plugin")
