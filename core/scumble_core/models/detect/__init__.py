"""What a file or folder is, told by its tensors and their shapes, never by its name. No torch."""

from scumble_core.models.detect.files import detect, detect_tensors
from scumble_core.models.detect.found import Found, Kind, fits

__all__ = ["Found", "Kind", "detect", "detect_tensors", "fits"]
