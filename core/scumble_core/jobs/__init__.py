"""Jobs for artists' programs: the front door that listens, and the worker process that computes."""
