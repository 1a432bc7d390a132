"""The plugin as a thing to be packed and installed. Nothing of it is imported here."""
