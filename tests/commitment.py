"""Storage commitment as a sender asks for it and hears of it, by pynetdicom."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from gateway.commitment.messages import SOP_CLASS, SYNTAXES
from tests.door import CT, associated

COMMITMENT = (SOP_CLASS, SYNTAXES[0])


class Told(NamedTuple):
    """A report, as a sender understands it."""

    event: int
    transaction: str
    kept: list[str]
    failed: dict[str, int]


def request(references: list[tuple[str, str]], transaction: str = "1.2.3") -> Dataset:
    asked = Dataset()
    asked.TransactionUID = transaction
    asked.ReferencedSOPSequence = []
    for sop_class, instance in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
        asked.ReferencedSOPSequence.append(item)
    return asked


def told(event: Any) -> Told:
    data = event.event_information
    return Told(
        int(event.request.EventTypeID),
        str(data.TransactionUID),
        [str(one.ReferencedSOPInstanceUID) for one in data.get("ReferencedSOPSequence", [])],
        {
            str(one.ReferencedSOPInstanceUID): int(one.FailureReason)
            for one in data.get("FailedSOPSequence", [])
        },
    )


class Listening:
    """Hears reports; `status` is what it answers."""

    def __init__(self, status: int = 0x0000) -> None:
        self.reports: list[Told] = []
        self.callers: list[str] = []
        self.status = status
        self.handlers = [(evt.EVT_N_EVENT_REPORT, self.hear)]

    def hear(self, event: Any) -> tuple[int, None]:
        self.callers.append(str(event.assoc.requestor.ae_title))
        self.reports.append(told(event))
        return self.status, None

    @contextlib.contextmanager
    def server(self, context: ssl.SSLContext | None = None) -> Iterator[int]:
        """Listen for associations of the gateway."""
        ae = AE("CT2")
        ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
        serving = ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=self.handlers, ssl_context=context
        )
        try:
            yield serving.server_address[1]
        finally:
            serving.shutdown()


def act(
    association: Any, asked: Dataset | None, *, action: int = 1, sop_class: str = "", instance: str = ""
) -> int:
    """Ask; give the status.

    pynetdicom's reactor is kept from taking the answer meanwhile: on a busy machine it does (3.0.4). After
    success, wait for the report before the association is released: one that comes in between ends
    pynetdicom's upper layer, and its release then waits for ever.
    """
    take = association.dimse.get_msg
    association.dimse.get_msg = lambda block=False: take(block) if block else (None, None)
    try:
        status, _ = association.send_n_action(
            asked,
            action,
            UID(sop_class or StorageCommitmentPushModel),
            UID(instance or StorageCommitmentPushModelInstance),
            meta_uid=StorageCommitmentPushModel,
        )
    finally:
        association.dimse.get_msg = take
    return int(status.Status)


def sent(port: int, images: list[Dataset]) -> None:
    with associated(port, [CT]) as association:
        for one in images:
            assert association.send_c_store(one).Status == 0


def of(images: list[Dataset]) -> list[tuple[str, str]]:
    return [(str(one.SOPClassUID), str(one.SOPInstanceUID)) for one in images]
