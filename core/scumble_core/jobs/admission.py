"""What must hold of a job before any of its pixels come, and of its profile when that has come. No torch here.

The only paths in a request are the ids of its models. Of these the front door reads what detection reads: heads of
weights, and a folder's small descriptions, each bounded; the worker opens the rest with loaders that run no code.
"""

import stat
import struct
from pathlib import Path

from scumble_bridge.fields import PictureHeader
from scumble_bridge.messages import Submit
from scumble_core.errors import PictureError, RequestError, ScumbleError
from scumble_core.request import RefineRequest

PROFILE = "profile.icc"
MOST_INDEX = 1024 * 1024
# Elements may be shared by several tags, but not so that a small file stands for gigabytes.
_MOST_SHARED = 8


def admitted(message: Submit) -> RefineRequest:
    """The request of a job whose pictures may come. Raises ScumbleError."""
    request = RefineRequest.from_dict(message.request)
    check_source_header(message.source)
    masks = {"selection": message.selection, "strength": message.strength}
    regions = {f"region-{number}": header for number, header in enumerate(message.regions, start=1)}
    for name, header in {**masks, **regions}.items():
        if header is not None:
            _check_mask(name, header, message.source)
    if len(message.regions) != len(request.regions):
        raise RequestError(
            f"The request names {len(request.regions)} regions, but {len(message.regions)} masks are to come: "
            "send one mask for each region."
        )
    return request


def check_source_header(source: PictureHeader) -> None:
    """PictureError when it can't be a job's source."""
    if not source.total_bytes or source.layout == "mask":
        raise PictureError(
            f"The source is {source.width} x {source.height}, {source.layout}: send pixels, rgba or bgra."
        )


def check_profile(path: Path) -> None:
    """PictureError when the profile that came is none that colours can be converted by; none at all is sRGB."""
    from scumble_core.picture.colour import ColourSpace

    try:
        profile = path.read_bytes()
        count = min(200, struct.unpack_from(">I", profile, 128)[0])
        sizes = [struct.unpack_from(">I", profile, 140 + 12 * number)[0] for number in range(count)]
    except FileNotFoundError:
        return
    except struct.error:
        sizes = []  # ColourSpace says what is wrong with it
    if sum(min(size, len(profile)) for size in sizes) > _MOST_SHARED * len(profile):
        raise PictureError("The picture's profile can't be used (its list of tags is broken): convert it to sRGB.")
    ColourSpace(profile)


def check_model_files(request: RefineRequest) -> None:
    """ScumbleError when a model's index is no plain small file: reading it might never end."""
    for model in (request.base, request.refiner):
        try:
            index = Path(model).expanduser() / "model_index.json"
            found = index.stat()
        except (OSError, ValueError, RuntimeError):
            continue  # whoever needs it says so
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_INDEX:
            raise ScumbleError("unknown_model", f"{index} is no model's index: choose another model.")


def check_models(request: RefineRequest) -> None:
    """ScumbleError when what is known of the request's models, without loading them, says that it can't be done.

    Looks into files: not for the thread that answers clients.
    """
    from scumble_core.models.library import NONE, refiner_for, upscaler_facts, upscalers_of
    from scumble_core.plan.upscaling import check_restorer, check_upscalers

    check_model_files(request)
    refiner_for(request)
    if request.upscaler != "auto":
        known = [(each, facts) for each in upscalers_of(request.upscaler) if (facts := upscaler_facts(each))]
        check_upscalers(request.upscaler, known)
    restorer = None if request.restore == NONE or request.start == "empty" else upscaler_facts(request.restore)
    if restorer is not None:
        check_restorer(request.restore, restorer)


def _check_mask(name: str, mask: PictureHeader, source: PictureHeader) -> None:
    if mask != PictureHeader(source.width, source.height, "u8", "mask"):
        raise PictureError(
            f"The {name} is {mask.width} x {mask.height}, {mask.depth}, {mask.layout}: "
            f"send a mask of {source.width} x {source.height}, u8, like the source."
        )
