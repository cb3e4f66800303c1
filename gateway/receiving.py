"""C-STORE data sets on their way from PDUs into spools, in pynetdicom's place.

pynetdicom 3.0.4 writes a received object to a temporary file in the system's folder, leaves it behind when
the association breaks, and dies in mid air when the disk is full. So fragments go to a `Spool` here, and what
a peer can make grow in memory is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.pdu_primitives import P_DATA

from gateway.spool import Announced, Spool

MAX_PDU = 128 * 1024
"""What we say we take, bytes (Maximum Length Received, PS3.8 D.1)."""

_MAX_COMMAND = 64 * 1024
_MAX_OTHER_DATASET = 1024 * 1024
_MAX_WAITING = 16
_INVALID_PDU = "Evt19"


class _Violation(Exception):  # noqa: N818 - what the peer did, not an error of ours
    """The peer does what no conforming peer does; its association is aborted."""


class Reception(DIMSEServiceProvider):
    """Takes fragments of C-STORE data sets to a spool; the rest is pynetdicom's. Runs in the DUL's thread."""

    def __init__(self, assoc: Association, begin: Callable[[Announced], Spool]) -> None:
        super().__init__(assoc)
        self._begin = begin
        self._current: tuple[int, Spool] | None = None
        self._other_bytes = 0
        self._spools: set[Spool] = set()
        self._closed = False
        self._lock = threading.Lock()

    def take(self, spool: Spool) -> None:
        """Hand a whole object to the one who handles it."""
        with self._lock:
            self._spools.discard(spool)

    def close(self) -> None:
        """Discard what was not handed over: the association is over."""
        with self._lock:
            self._closed = True
            spools, self._spools = self._spools, set()
        for spool in spools:
            spool.discard()

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take the fragments of one PDU."""
        try:
            for context_id, data in primitive.presentation_data_value_list:
                self._fragment(context_id, data)
        except Exception:  # noqa: BLE001 - whatever a peer's bytes provoke ends its association and no other
            self.assoc.was_aborted = True
            self.dul.event_queue.put(_INVALID_PDU)

    def _fragment(self, context_id: int, data: bytes) -> None:
        if not data:
            raise _Violation
        is_command, is_last = data[0] & 1, data[0] & 2
        if self._current and not is_command:
            expected, spool = self._current
            if context_id != expected:
                raise _Violation
            spool.write(memoryview(data)[1:])
            if is_last:
                self._current = None
                super().receive_primitive(_pdata(context_id, data[:1]))
            return
        self._other_bytes += len(data)
        if self._current or self._other_bytes > (_MAX_COMMAND if is_command else _MAX_OTHER_DATASET):
            raise _Violation
        if self.msg_queue.qsize() >= _MAX_WAITING:
            raise _Violation
        super().receive_primitive(_pdata(context_id, data))
        if is_last:
            self._other_bytes = 0
        if isinstance(self.message, C_STORE_RQ):
            self._start(context_id)

    def _start(self, context_id: int) -> None:
        """After the command of a C-STORE with a data set: open the spool that pynetdicom then writes to."""
        message: Any = self.message
        accepted = self.assoc._accepted_cx[context_id]  # noqa: SLF001 - pynetdicom's own lookup; KeyError aborts
        command = message.command_set
        spool = self._begin(
            Announced(
                str(command.AffectedSOPClassUID),
                str(command.AffectedSOPInstanceUID),
                str(accepted.transfer_syntax[0]),
            )
        )
        with self._lock:
            if not self._closed:
                self._spools.add(spool)
        if spool not in self._spools:
            spool.discard()
            raise _Violation
        message._data_set_file = PynetdicomFile(spool)  # noqa: SLF001 - where decode_msg writes to
        self._current = (context_id, spool)


class PynetdicomFile:
    """What pynetdicom takes for its temporary file: the last, empty fragment comes here, the others don't."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.name = str(spool.path)
        self.file = self

    def write(self, data: bytes) -> int:
        """Take the empty end of the last fragment."""
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Forget the object, if its handler did not move it away."""
        self.spool.discard()


def _pdata(context_id: int, data: bytes) -> P_DATA:
    single = P_DATA()
    single.presentation_data_value_list = [[context_id, data]]
    return single
