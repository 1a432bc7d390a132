"""What the panel needs of the program that it lives in."""
