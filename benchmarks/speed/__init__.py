"""How long whole jobs take, where the time goes, and how that compares with other ways of tiling."""
