"""A walk through Krita with Scumble, as a new user takes it: the manual's pictures, and how many clicks and seconds."""
