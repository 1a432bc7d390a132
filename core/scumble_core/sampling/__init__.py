"""Noise, sigmas and samplers."""
