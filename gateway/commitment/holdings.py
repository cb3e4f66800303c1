"""Which objects the vault holds, by their keys: of what the journal acknowledged.

The gateway's process keeps it; its workers ask. What is noted is found at once, from memory, and written
before the journal forgets it; what the journal has at the start is noted before anybody asks. So a process
that is killed loses no note. A note is made after object and journal entry are durable, so what is found was
true. After a power loss, or where the index could not be written for long, notes may be missing: an object is
said not to be kept that is, and its sender sends it again, which changes nothing.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog

from gateway.commitment.index import Held, Index, Place
from gateway.journal import Appends
from streams.errors import Unavailable

log = structlog.get_logger()

MOST = 8192
"""Notes in memory; with more, whoever notes writes them."""
STORED = "chips.pacs.instance.stored.v1"


class Finds(Protocol):
    """Knows what is held."""

    def find(self, project: str, instances: Sequence[str]) -> dict[str, Held]:
        """Give what is known of objects, by their keys.

        Raises
        ------
        streams.errors.Unavailable
            When that can't be told now.
        """


class _Blob(msgspec.Struct):
    sha256: str


class _Stored(msgspec.Struct):
    """What an index takes of an event's data."""

    project: str
    instance: str
    sop_class_uid: str
    series: str
    blob: _Blob


class _Envelope(msgspec.Struct):
    type: str
    data: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope).decode
_stored = msgspec.json.Decoder(_Stored).decode


class Holdings:
    """The holdings of a vault; safe for many threads of one process."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending: dict[Place, Held] = {}
        self._leaving: dict[Place, Held] = {}

    def note(self, payloads: Sequence[bytes]) -> None:
        """Note the objects that entries of the journal tell of; of what is no event, the publisher tells."""
        for payload in payloads:
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                event = _envelope(payload)
                if event.type == STORED:
                    stored = _stored(event.data)
                    held = Held(stored.sop_class_uid, stored.blob.sha256, stored.series)
                    with self._lock:
                        self._pending[stored.project, stored.instance] = held
        if len(self._pending) > MOST:
            self.write()

    def keep(self, payloads: Sequence[bytes]) -> None:
        """Note objects, and write all that was noted."""
        self.note(payloads)
        self.write()

    def write(self) -> None:
        """Write what was noted. What can't be written is kept in memory while that is not too much."""
        with self._writing:
            with self._lock:
                self._leaving, self._pending = self._pending, {}
            try:
                self._index.put(self._leaving.items())
            except Unavailable as error:
                log.warning("holdings.not_written", error=str(error), notes=len(self._leaving))
                with self._lock:
                    if len(self._pending) + len(self._leaving) <= MOST:
                        self._pending = self._leaving | self._pending
            with self._lock:
                self._leaving = {}

    def find(self, project: str, instances: Sequence[str]) -> dict[str, Held]:
        """Give what is known of objects; see `Finds`."""
        found = {}
        for one in instances:
            with self._lock:  # one at a time, for who is acknowledged waits for it
                held = self._pending.get((project, one)) or self._leaving.get((project, one))
            if held:
                found[one] = held
        return found | self._index.get(project, [one for one in instances if one not in found])

    def close(self) -> None:
        """Write what was noted, and close."""
        self.write()
        self._index.close()


class Noting:
    """A journal whose entries are noted once they are durable."""

    def __init__(self, journal: Appends, holdings: Holdings) -> None:
        self._journal = journal
        self._holdings = holdings

    def append(self, payloads: Sequence[bytes]) -> None:
        """Make entries durable; raises as `gateway.journal.Journal.append`."""
        self._journal.append(payloads)
        self._holdings.note(payloads)
