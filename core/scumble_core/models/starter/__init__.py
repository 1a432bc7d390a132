"""The starter models: small, our own, in the package, so that all of Scumble runs with no GPU and no network."""
