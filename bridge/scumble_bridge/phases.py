"""The phases of a conversation, and who may send what in each. Both sides go by the same table."""

from collections.abc import Mapping
from typing import Literal

from scumble_bridge.handshake import Role
from scumble_bridge.messages import (
    Accepted,
    Attach,
    Cancel,
    Cancelled,
    Challenge,
    Credit,
    Describe,
    Described,
    Estimate,
    Estimated,
    Failed,
    Fetch,
    Finished,
    Hello,
    Message,
    Ping,
    Pixels,
    Pong,
    Preview,
    Prioritise,
    Progress,
    Prove,
    Queue,
    Quit,
    Release,
    Submit,
    Watch,
    Welcome,
)

Phase = Literal["hello", "challenge", "prove", "welcome", "open", "closed"]
_Types = frozenset["type[Message]"]
_NOTHING: "_Types" = frozenset()

MAY_SEND: "Mapping[Phase, Mapping[Role, _Types]]" = {
    "hello": {"client": frozenset({Hello}), "core": _NOTHING},
    "challenge": {"client": _NOTHING, "core": frozenset({Challenge})},
    "prove": {"client": frozenset({Prove}), "core": _NOTHING},
    "welcome": {"client": _NOTHING, "core": frozenset({Welcome})},
    "open": {
        "client": frozenset((
            Describe, Estimate, Submit, Pixels, Credit, Fetch, Release, Cancel, Attach, Watch, Prioritise, Quit,
            Ping, Pong,
        )),
        "core": frozenset((
            Described, Estimated, Accepted, Pixels, Credit, Progress, Preview, Finished, Cancelled, Failed, Queue,
            Ping, Pong,
        )),
    },
    "closed": {"client": _NOTHING, "core": _NOTHING},
}  # fmt: skip
