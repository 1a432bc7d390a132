"""Loading models: from folders in diffusers' layout and from single files, never asking the network."""
