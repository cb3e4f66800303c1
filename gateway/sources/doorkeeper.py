"""Judges requestors by the newest rules."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

from gateway.admission import Guest, Source
from gateway.dul.negotiation import Proposal, Rejection
from gateway.renewing import Renewed
from gateway.sources.judging import chosen, identified
from gateway.sources.loading import parsed, read
from gateway.sources.passcodes import Passcode
from gateway.sources.rules import Rules
from gateway.storings import Storings


class _Read(NamedTuple):
    content: bytes
    rules: Rules


class Doorkeeper:
    """Lets in whom a file of sources knows, read again when it changes; safe for many threads.

    Parameters
    ----------
    storings
        Have the keys of the projects that are named, from when rules count.
    before
        Content that stands until the file can be followed; None: it must be.

    Raises
    ------
    streams.errors.Rejected, streams.errors.Unavailable
        When the rules can't be followed, or a key can't be had.
    """

    def __init__(self, file: Path, storings: Storings, before: bytes | None = None) -> None:
        def made(content: bytes) -> _Read:
            rules = parsed(content, file)
            for project in sorted(rules.projects):
                storings.of(project)
            return _Read(content, rules)

        stands = None if before is None else made(before)
        self._rules = Renewed("file of sources", [file], lambda: made(read(file)), stands)
        self._verifying = threading.Lock()

    def judge(self, guest: Guest, proposal: Proposal) -> Source | Rejection:
        """Tell what a requestor may, or why it is sent away."""
        rule = chosen(self._rules.current().rules, guest, proposal.calling_ae, proposal.called_ae)
        if isinstance(rule, Rejection):
            return rule
        return identified(rule, proposal.user_identity, self._verify)

    @property
    def sources(self) -> list[Source]:
        """The sources that are named now."""
        return [rule.source for rule in self._rules.current().rules.sources]

    @property
    def content(self) -> bytes:
        """What is followed now, as it was written."""
        return self._rules.current().content

    @property
    def problem(self) -> str | None:
        """Why the newest file is not followed, None when it is."""
        return self._rules.problem

    def _verify(self, passcode: Passcode, shown: bytes) -> bool:
        """One at a time: each takes memory and a core, and strangers can ask for it."""
        with self._verifying:
            return passcode.fits(shown)
