"""The host that is Krita. Everything here runs in the GUI thread."""
