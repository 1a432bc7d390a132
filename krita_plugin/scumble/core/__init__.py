"""The core as the panel knows it: found, started, connected, restarted, described, and what to tell of it."""
