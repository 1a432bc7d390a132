"""What a client is told that comes to a job which is under way, or isn't there."""

from scumble_bridge import messages as wire
from scumble_core.jobs.client import Client
from scumble_core.jobs.job import Job


def catch_up(client: Client, job: Job) -> None:
    """The job's last news, and what it has shown so far."""
    if job.news is not None:
        client.tell(job.news)
    if job.state != "finished":
        show_again(client, job)


def show_again(client: Client, job: Job) -> None:
    """What the job has shown so far."""
    for preview in job.previews.replay(job.id):
        client.tell(preview)


def unknown(job: str) -> wire.Failed:
    """There is no such job."""
    return wire.Failed(job, "unknown_job", "The core doesn't know this job (any more): submit it again.")


def not_ready(job: str) -> wire.Failed:
    """There are no results yet."""
    return wire.Failed(job, "bad_request", "The results of this job are not there yet: wait until it is finished.")
