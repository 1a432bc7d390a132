"""The stages of a job, in the order in which a picture walks through them."""
