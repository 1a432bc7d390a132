"""How good is the tile pass: seams, detail, periodicity, colour, fidelity, stitching and determinism, side by side.

`python -m benchmarks.quality` runs it; docs/quality.md is what it wrote.
"""
