"""The Krita plugin. Standard library and Krita's own PyQt alone."""
