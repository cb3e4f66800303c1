"""Storing for each project that sources belong to."""

from __future__ import annotations

import threading

from gateway.journal import Appends
from gateway.keys import Keyring
from gateway.storing import Storing
from gateway.vault import Vault
from streams.clock import Clock
from streams.errors import Misconfigured


class Storings:
    """One for each project, its key made at first use; safe for many threads."""

    def __init__(self, keyring: Keyring, vault: Vault, journal: Appends, clock: Clock) -> None:
        self._keyring = keyring
        self._vault = vault
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[str, Storing] = {}

    def of(self, project: str) -> Storing:
        """Give a project's.

        Raises
        ------
        streams.errors.Rejected, streams.errors.Unavailable
            When its key or its folders can't be had.
        """
        with self._lock:
            found = self._made.get(project)
            if found is None:
                self._prepare(project)
                found = self._made[project] = Storing(
                    key=self._keyring.project_key(project),
                    vault=self._vault,
                    journal=self._journal,
                    clock=self._clock,
                )
            return found

    def _prepare(self, project: str) -> None:
        try:
            self._vault.blobs.prepare(project)
        except ValueError as error:
            raise Misconfigured(f"No project can have this name: {error}.") from error
