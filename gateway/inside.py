"""What lies behind the door: vault, journal, keys, certificates and rules, and how they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog

from gateway.commitment.holdings import Holdings, Noting
from gateway.commitment.index import Index
from gateway.dul.negotiation import Rejection
from gateway.journal import Journal
from gateway.keys import Keyring
from gateway.presence import Party
from gateway.pressure import DISK_LOW, Marks, congestion, told
from gateway.sources.doorkeeper import Doorkeeper
from gateway.storings import Storings
from gateway.tls import Contexts, contexts, files_of, peer_context
from gateway.vault import Vault
from streams.clock import utc_now
from streams.settings import Settings

log = structlog.get_logger()

_MIB = 1024 * 1024
_AT_ONCE = 1024
"""Entries of the journal, which may hold many when the bus was away."""
SOON = timedelta(days=14)
"""How long before it ends a certificate is spoken of."""


class Inside(NamedTuple):
    """All of it."""

    vault: Vault
    journal: Journal
    holdings: Holdings
    records: Noting
    """The journal, whose objects are noted."""
    storings: Storings
    reserve: int
    """Bytes of the vault's disk that stay free."""
    marks: Marks
    tls: Contexts | None
    doorkeeper: Doorkeeper | None

    def problems(self) -> list[str]:
        """Say why no image can be taken."""
        found = []
        if not self.vault.has_room():
            found.append("The vault's disk is full: objects are refused until there is room")
        elif congested := self.congestion():
            found.append(told(congested))
        if self.journal.broken:
            found.append("The journal's disk failed: the gateway starts anew")
        return found

    def notes(self, now: datetime) -> list[str]:
        """Say what an operator should see to, though images are taken."""
        found = self.unfollowed()
        if self.tls and now > (until := self.tls.current().until) - SOON:
            found.append(f"The TLS certificate ends at {until:%Y-%m-%d %H:%M} UTC: replace it")
        return found

    def unfollowed(self) -> list[str]:
        """Say which files that changed are not followed, having followed those that can be."""
        found = [one.problem for one in (self.tls, self.doorkeeper) if one]
        return [problem for problem in found if problem]

    def configured(self, project: str) -> list[Party]:
        """Give the sources that the file names; of those without a project, `project`."""
        named = self.doorkeeper.sources if self.doorkeeper else []
        return [Party(one.project or project, one.name) for one in named]

    def congestion(self) -> Rejection | None:
        """Tell why nobody new may come in now."""
        try:
            return congestion(self.marks, free=self.vault.free(), backlog=self.journal.backlog)
        except OSError:  # the disk is gone: nobody could store anything
            return DISK_LOW


def open_inside(folder: Path, settings: Settings) -> Inside:
    """Open a vault and what belongs to it.

    Raises
    ------
    streams.errors.Rejected
        When certificates or rules can't be followed, or journal or keys are damaged or a newer CHIPS's.
    OSError
        When the disk can't be used.
    """
    reserve = settings.disk_reserve_mb * _MIB
    vault = Vault(folder, reserve)
    vault.sweep()
    tls = files_of(settings)
    secured = contexts(tls) if tls else None
    journal = Journal(folder / "journal")
    if journal.cut:
        log.warning("journal.torn_end_cut", bytes=journal.cut)
    holdings = Holdings(Index(folder / "holdings.db"))
    while entries := journal.read(_AT_ONCE):
        holdings.keep(entries)
    journal.rewind()
    records = Noting(journal, holdings)
    storings = Storings(Keyring(folder), vault, records, utc_now)
    storings.of(settings.project)
    doorkeeper = Doorkeeper(Path(settings.sources_file), storings) if settings.sources_file else None
    if doorkeeper and any(one.reply and one.reply.is_tls for one in doorkeeper.sources):
        peer_context(tls)
    return Inside(
        vault=vault,
        journal=journal,
        holdings=holdings,
        records=records,
        storings=storings,
        reserve=reserve,
        marks=Marks(settings.disk_low_mb * _MIB or 2 * reserve, settings.journal_most),
        tls=secured,
        doorkeeper=doorkeeper,
    )
