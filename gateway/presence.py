"""Who has associations open, on its way to being told: at most once a second, however many come and go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from gateway.associations import SOURCE
from schemas.envelope import Event
from schemas.make import first
from schemas.pacs import AssociationsCounted, SourceAssociations

MOST = 256
"""Sources that are told by name; associations of further ones count together, under none."""


class Party(NamedTuple):
    """Whose association it is."""

    project: str
    source: str
    """Name of the configured source, or a valid AE title."""


class _Here(NamedTuple):
    open: int = 0
    opened: int = 0
    last: datetime | None = None


class Presence:
    """Counts associations by source; safe for many threads. Time comes in as an argument.

    It remembers as many sources as have associations open, or opened one since it was last told.

    Parameters
    ----------
    project
        Told of at the start in any case: whoever was there before this gateway is not any more.
    new_id
        Makes an event's id.
    """

    def __init__(self, project: str, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._lock = threading.Lock()
        self._here: dict[Party, _Here] = {}
        self._project = project
        self._changed = {project}
        self._configured: Mapping[str, list[str]] = {}

    def opened(self, party: Party, now: datetime) -> None:
        """Count one that was agreed on."""
        with self._lock:
            before = self._here.get(party, _Here())
            self._here[party] = _Here(before.open + 1, before.opened + 1, now)
            self._changed.add(party.project)

    def ended(self, party: Party) -> None:
        """Count the end of one."""
        with self._lock:
            before = self._here.get(party, _Here())
            self._here[party] = before._replace(open=max(0, before.open - 1))
            self._changed.add(party.project)

    def tell_again(self) -> None:
        """Tell all of it with the next `due`: what was told last got lost."""
        with self._lock:
            self._changed |= {party.project for party in self._here} | {self._project}

    def due(self, now: datetime, configured: Iterable[Party] = ()) -> list[Event]:
        """Give an event for each project in which something changed since the last time.

        Parameters
        ----------
        configured
            Sources that the file names.
        """
        named: dict[str, list[str]] = {}
        for party in configured:
            named.setdefault(party.project, []).append(party.source)
        with self._lock:
            both = self._configured.keys() | named.keys()
            self._changed |= {one for one in both if self._configured.get(one) != named.get(one)}
            self._configured = named
            changed, self._changed = sorted(self._changed), set()
            events = [self._event(project, named.get(project, []), now) for project in changed]
            self._here = {
                party: here._replace(opened=0, last=None) for party, here in self._here.items() if here.open
            }
        return events

    def _event(self, project: str, configured: list[str], now: datetime) -> Event:
        there = [
            SourceAssociations(source=party.source, open=here.open, opened=here.opened, last=here.last)
            for party, here in self._here.items()
            if party.project == project and (here.open or here.opened)
        ]
        sources, rest = there[: MOST - 1], there[MOST - 1 :]
        if rest:
            together = SourceAssociations(
                source="",
                open=sum(one.open for one in rest),
                opened=sum(one.opened for one in rest),
                last=now,
            )
            sources.append(together)
        return first(
            AssociationsCounted(project=project, sources=sources, configured=configured[:MOST]),
            event_id=self._new_id(),
            source=SOURCE,
            subject=f"sources/{project}",
            time=now,
        )
