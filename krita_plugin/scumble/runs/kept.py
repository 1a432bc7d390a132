"""Which finished jobs the core is to keep, so that the next run of the same document finds their tiles. Pure."""

import json
from dataclasses import dataclass

MOST_DOCUMENTS = 8


@dataclass(frozen=True)
class Kept:
    """(document, job), the one last finished at the end: one job a document, and not many documents."""

    jobs: "tuple[tuple[str, str], ...]" = ()

    def with_job(self, document: str, job: str) -> "tuple[Kept, tuple[str, ...]]":
        """Another job has finished; the jobs that the core may forget now."""
        others = tuple(each for each in self.jobs if each[0] != document)
        jobs = (*others, (document, job))[-MOST_DOCUMENTS:]
        gone = tuple(name for _, name in self.jobs if name not in {each for _, each in jobs})
        return Kept(jobs), gone

    def to_json(self) -> str:
        return json.dumps([list(each) for each in self.jobs])

    @classmethod
    def from_json(cls, text: str) -> "Kept":
        """What can't be read is nothing."""
        try:
            rows = json.loads(text)
            return cls(tuple((str(document), str(job)) for document, job in rows)[-MOST_DOCUMENTS:])
        except (ValueError, TypeError):
            return cls()
