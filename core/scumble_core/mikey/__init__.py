"""The reference node "Mikey Sampler Tiled" rule by rule, as it is, for the presets that bear its name."""
