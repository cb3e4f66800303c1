"""What ``chips status`` tells, and what of it needs a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

MOST_JOBS = 1000
"""Open jobs that are counted; beyond it is "so many or more"."""
MOST_LETTERS = 1000
"""Dead letters of an agent that are counted; likewise."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process of this machine, as its own port tells."""

    name: str
    port: int
    state: Literal["ok", "waiting", "away", "unknown"]
    """waiting: it says what for. away: nothing answers. unknown: it has no health port."""
    says: list[str] = []


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for an agent."""

    name: str
    waiting: dict[str, int] = {}
    """Messages not yet acknowledged, by topic."""
    letters: int | None = None
    """Dead letters that were not released, those behind a parked key among them; None: not known."""
    parked: int | None = None
    """Keys of which nothing is handled until they are released."""


class Jobs(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs that have not ended, `MOST_JOBS` at most."""

    open: int
    oldest: datetime | None


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """Images that were acknowledged and that the bus has not heard of; None: the vault can't be seen here."""

    backlog: int | None


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Room where something lies."""

    what: list[str]
    path: str
    free_bytes: int
    total_bytes: int
    low: bool
    """Below the reserve (``CHIPS_DISK_RESERVE_MB``): images are refused."""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """The format of the data in the store, and what this CHIPS writes."""

    found: int | None
    ours: int
    written_by: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything; what could not be learnt is None, with its reason among `troubles`."""

    at: datetime
    bus: str
    store: str
    processes: list[Process]
    agents: list[Agent]
    jobs: Jobs | None
    journal: Journal | None
    disks: list[Disk]
    format: Format | None
    versions: dict[str, str]
    troubles: list[str]


def needs_a_person(report: Report) -> Iterator[str]:
    """Yield what somebody should see to: it makes the exit status 1."""
    yield from report.troubles
    if report.format and report.format.found != report.format.ours:
        yield _format_trouble(report.format)
    for process in report.processes:
        if process.state == "waiting":
            yield f"{process.name} is not ready: {'; '.join(process.says)}"
    for disk in report.disks:
        if disk.low:
            yield f"The disk of {', '.join(disk.what)} is below its reserve: make room in {disk.path}"
    for agent in report.agents:
        if agent.letters or agent.parked:
            yield (
                f"{agent.name} has {counted(agent.letters or 0, MOST_LETTERS)} dead letters and "
                f"{agent.parked or 0} parked keys: see `chips replay dlq list`"
            )


def counted(count: int, most: int) -> str:
    """Say a count that stops at `most`."""
    return f"{count} or more" if count >= most else str(count)


def _format_trouble(found: Format) -> str:
    if found.found is None:
        return "The store has no tables yet: run `chips migrate`"
    if found.found > found.ours:
        return (
            f"The store has format {found.found}, written by CHIPS {found.written_by}; this CHIPS knows "
            f"{found.ours}: run that CHIPS or a newer one"
        )
    return f"The store has format {found.found}, this CHIPS writes {found.ours}: run `chips migrate`"
