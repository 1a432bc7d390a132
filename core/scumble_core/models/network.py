"""How a connection's failures are told, whichever library the hub's client uses this year."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from scumble_core.errors import ScumbleError


@contextmanager
def network(wanted: str) -> Iterator[None]:
    """While it lasts, what goes wrong is one sentence. Raises ScumbleError."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise ScumbleError("bad_request", f"{wanted} can't be fetched while HF_HUB_OFFLINE is set: unset it.")
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        yield
    except ScumbleError:
        raise
    except GatedRepoError as error:
        raise ScumbleError(
            "unknown_model",
            f"{wanted} is for those alone who accepted its terms: do so on its page, then `hf auth login`.",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ScumbleError("unknown_model", f"The hub has no model {wanted}: check the id.") from error
    except Exception as error:  # the client's own errors, its HTTP library's, the system's: all mean the same here
        reason = str(error).split("\n", maxsplit=1)[0][:200] or type(error).__name__
        raise ScumbleError(
            "unknown_model", f"{wanted} could not be fetched ({reason}): try again, it goes on from where it was."
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without the client's own progress bars."""
    from huggingface_hub import utils

    was = utils.are_progress_bars_disabled()  # type: ignore[attr-defined]
    utils.disable_progress_bars()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if not was:
            utils.enable_progress_bars()  # type: ignore[attr-defined]
