"""`python -m scumble_core` is the command `scumble`."""

from scumble_core.cli.app import main

main()
