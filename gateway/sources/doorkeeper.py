"""Judges requestors by the newest rules."""

from __future__ import annotations

import threading
from pathlib import Path

from gateway.admission import Guest, Source
from gateway.dul.negotiation import Proposal, Rejection
from gateway.renewing import Renewed
from gateway.sources.judging import chosen, identified
from gateway.sources.loading import load
from gateway.sources.passcodes import Passcode
from gateway.sources.rules import Rules
from gateway.storings import Storings


class Doorkeeper:
    """Lets in whom a file of sources knows, read again when it changes; safe for many threads.

    Parameters
    ----------
    storings
        Have the keys of the projects that are named, from when rules count.

    Raises
    ------
    streams.errors.Rejected, streams.errors.Unavailable
        When the file can't be followed, or a key can't be had.
    """

    def __init__(self, file: Path, storings: Storings) -> None:
        def made() -> Rules:
            rules = load(file)
            for project in sorted(rules.projects):
                storings.of(project)
            return rules

        self._rules = Renewed("file of sources", [file], made)
        self._verifying = threading.Lock()

    def judge(self, guest: Guest, proposal: Proposal) -> Source | Rejection:
        """Tell what a requestor may, or why it is sent away."""
        rule = chosen(self._rules.current(), guest, proposal.calling_ae, proposal.called_ae)
        if isinstance(rule, Rejection):
            return rule
        return identified(rule, proposal.user_identity, self._verify)

    @property
    def problem(self) -> str | None:
        """Why the newest file is not followed, None when it is."""
        return self._rules.problem

    def _verify(self, passcode: Passcode, shown: bytes) -> bool:
        """One at a time: each takes memory and a core, and strangers can ask for it."""
        with self._verifying:
            return passcode.fits(shown)
