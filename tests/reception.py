"""What associations share, without a gateway around it: a vault, and what it would have told."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.admission import Everybody
from gateway.associations import Outcome
from gateway.commitment.index import Held
from gateway.identity import ProjectKey
from gateway.presence import Party
from gateway.quotas import Counted
from gateway.reception import Committed, Limits, Reception, Reported
from gateway.refusal_events import Refused
from gateway.storing import Storing
from gateway.vault import Vault
from schemas.catalogue import decode
from schemas.pacs import InstanceStored
from tests.bench.processes import tree


class Kept:
    """Entries of a journal, in memory, and what they say that is held."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []

    def append(self, payloads: Sequence[bytes]) -> None:
        self.entries += payloads

    def find(self, project: str, instances: Sequence[str]) -> dict[str, Held]:
        stored = (decode(entry).data for entry in self.entries)
        return {
            one.instance: Held(one.sop_class_uid, one.blob.sha256, one.series)
            for one in stored
            if isinstance(one, InstanceStored) and one.project == project and one.instance in instances
        }


class Counts:
    """What associations did."""

    def __init__(self) -> None:
        self.objects = 0
        self.ends: list[Outcome] = []
        self.commitments: list[Committed] = []

    def opened(self, party: Party) -> None:
        pass

    def ended(self, party: Party, outcome: Outcome) -> None:
        self.ends.append(outcome)

    def stored(self, size: int, seconds: float) -> None:
        self.objects += 1

    def refused(self, refused: Refused) -> None:
        assert refused.reason

    def committed(self, outcome: Committed) -> None:
        self.commitments.append(outcome)

    def reported(self, outcome: Reported) -> None:
        pass


def reception_of(vault: Vault, journal: Kept, counting: Counts, limits: Limits) -> Reception:
    key = ProjectKey(project="test", secret=bytes(32))
    return Reception(
        storing=Storing(key=key, vault=vault, journal=journal, clock=_clock),
        admission=Everybody(),
        counting=counting,
        clock=_clock,
        new_id=lambda: str(uuid.UUID(int=1)),
        quotas=Counted(),
        holdings=journal,
        limits=limits,
    )


def incoming(vault: Path, pid: int) -> list[Path]:
    """Files on their way into a vault, by name, or held open by a process or one below it."""
    folder = vault / "incoming"
    held = []
    for one in tree(pid):
        with contextlib.suppress(OSError):  # it ended meanwhile
            held += list(Path(f"/proc/{one}/fd").iterdir())
    return [*folder.iterdir(), *(one for one in held if _lies_in(one, folder))]


def _lies_in(descriptor: Path, folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return str(descriptor.readlink()).startswith(f"{folder.resolve()}/")
    return False


def _clock() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
