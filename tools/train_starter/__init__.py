"""Trains the starter models (see README.md)."""
