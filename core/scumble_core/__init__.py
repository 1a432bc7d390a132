"""Scumble: tiled diffusion refinement. The core process and the command line."""
