"""Pictures: their geometry, where they are kept, their colour, their files."""
