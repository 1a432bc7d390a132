"""What can go wrong, each with a code for programs and one sentence for people."""

from typing import Literal

ErrorCode = Literal[
    "bad_request",
    "bad_picture",
    "unknown_model",
    "unsafe_model",
    "out_of_memory",
    "disk_full",
    "worker_died",
    "internal",
]


class ScumbleError(Exception):
    """A failure whose message says what went wrong, where, and what to do."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RequestError(ScumbleError):
    """A request whose fields are out of range or of the wrong type."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_request", message)


class PictureError(ScumbleError):
    """A picture that can't be read or written, or holds no usable pixels."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_picture", message)


class Cancelled(Exception):  # noqa: N818  (an answer to a wish, not an error)
    """The job was cancelled. Not a ScumbleError: nothing went wrong."""
