"""From an artist's words to what a network reads: weights, long prompts, textual inversion."""
