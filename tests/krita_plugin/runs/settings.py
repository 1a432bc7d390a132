"""Settings for quick runs."""

from scumble.settings import Settings

# One tile, one small model.
QUICK = Settings(scale=1.0, strength=0.1, upscaler="none", refiner="none", steps=1)
# Many small tiles, so that there is something to interrupt.
TILED = Settings(scale=1.0, strength=0.3, upscaler="none", refiner="none", tile_size=128, overlap=16, steps=4)
