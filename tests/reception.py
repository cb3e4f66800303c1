"""What associations share, without a gateway around it: a vault, and what it would have told."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.admission import Everybody
from gateway.associations import Outcome
from gateway.identity import ProjectKey
from gateway.presence import Party
from gateway.quotas import Counted
from gateway.reception import Committed, Limits, Reception, Reported
from gateway.refusal_events import Refused
from gateway.storing import Storing
from gateway.vault import Vault


class Kept:
    """Entries of a journal, in memory."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []

    def append(self, payloads: Sequence[bytes]) -> None:
        self.entries += payloads


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
        limits=limits,
    )


def _clock() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
