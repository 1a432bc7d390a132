"""Scumble against numbers recorded from the reference: what each part gives, number by number.

The format of a folder of recorded numbers (tests/data/golden is one); every file may be missing, keys may be more:
- sigmas.npz: `sigmas_table`; `SCHEDULE_N`, the sigmas of N steps; `timestep_N` (of exponential), `timestep_SCHEDULE_N`.
- inputs.npz: latents, conditionings and the seed for the walks; `noise_seed*`, the first noise of a seed.
- sampling_toy.npz, sampling_tiny.npz: `RUN/ITEM` of whole walks. RUN is phase1, phase2 (the preset `mikey`'s own) or
  tileNN (a tile from step NN); ITEM is x, denoised, t, noise, noise_sigma_pairs, tree, tree_seed, unet_calls or out.
- weights.json: how the tiny networks are drawn, and their hashes; nets_tiny.npz: one forward of each.
- split_image.json, stitch_images.npz, complexity.npz, rules.json, image_scale_maps.npz: the node's own arithmetic.
Latents that go in and come out are in the autoencoder's space; x and denoised are the sampler's.
"""
