"""Where models lie that the artist already has: our own folders, and those of other programs. No torch."""

from scumble_core.models.finding.candidates import Candidate, candidate_at, candidates
from scumble_core.models.finding.everywhere import all_places
from scumble_core.models.finding.folders import add_folder, added_folders, remove_folder
from scumble_core.models.finding.places import Place

__all__ = [
    "Candidate",
    "Place",
    "add_folder",
    "added_folders",
    "all_places",
    "candidate_at",
    "candidates",
    "remove_folder",
]
