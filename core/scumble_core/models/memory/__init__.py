"""What fits where: a plan for the device at hand, the room that models share on it, and what its failures taught."""
