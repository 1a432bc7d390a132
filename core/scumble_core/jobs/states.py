"""The states of a job, and which wish leads where. Pure tables; runner.py and front_door.py have the effects."""

from collections.abc import Mapping
from typing import Literal

State = Literal["uploading", "queued", "running", "paused", "finished", "failed", "cancelled"]

STATES: tuple[State, ...] = ("uploading", "queued", "running", "paused", "finished", "failed", "cancelled")
# There is still something to do without anybody's asking.
ACTIVE: frozenset[State] = frozenset({"uploading", "queued", "running"})
# Finished tiles wait, and the job may go on from them.
RESUMABLE: frozenset[State] = frozenset({"paused", "failed", "cancelled"})
# The core was ended or killed in the middle of it: it is the next core's to run.
AT_START: Mapping[State, State] = {"running": "queued"}
