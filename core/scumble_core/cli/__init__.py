"""The command line, `scumble`. Torch is imported by `refine` alone, so that the rest answers at once."""
