"""Runs: from the button to the layers, several at once, through lost lines and restarts."""
