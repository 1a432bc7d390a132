"""The wire between an artist's program and the core: protocol, places, tokens. Standard library alone."""
