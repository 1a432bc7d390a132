"""The manual: one source, docs/manual/README.md, and what Krita's plugin manager shows of it."""
