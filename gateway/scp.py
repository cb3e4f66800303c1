"""The storage door: C-ECHO and C-STORE SCP for every storage class and transfer syntax, private ones too.

Each proposed storage context is accepted with the first transfer syntax that its sender names; nothing is
decoded or converted. Success is sent only after `Storing.store`. No identifying value is logged.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import structlog
from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.pdu import A_ABORT_RQ
from pynetdicom.sop_class import Verification

from gateway.associations import Carried, carry, ended, outcome_of
from gateway.errors import ObjectRefused, where_of
from gateway.listening import DoorAssociation, DoorServer
from gateway.metrics import Metrics
from gateway.receiving import MAX_PDU, PynetdicomFile
from gateway.refusals import failed, no_dataset
from gateway.spool import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from gateway.storing import Storing
from streams.clock import Clock
from streams.errors import Unavailable

MAX_ASSOCIATIONS = 32
ACSE_TIMEOUT_S = 30
NETWORK_TIMEOUT_S = 60
_SUCCESS = 0x0000

log = structlog.get_logger()


def configure_pynetdicom() -> None:
    """Set what pynetdicom only lets its process set: any storage context is taken, and it logs nothing.

    Its and pydicom's log lines and warnings quote UIDs and values of the objects.
    """
    _config.UNRESTRICTED_STORAGE_SERVICE = True
    _config.LOG_HANDLER_LEVEL = "none"
    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        warnings.filterwarnings("ignore", module=rf"{name}\b")


class Door:
    """The listening application entity.

    Parameters
    ----------
    new_id
        Makes an association's id (uuid7).
    """

    def __init__(
        self,
        *,
        ae_title: str,
        storing: Storing,
        metrics: Metrics,
        clock: Clock,
        new_id: Callable[[], str],
        max_associations: int = MAX_ASSOCIATIONS,
    ) -> None:
        configure_pynetdicom()
        self._storing = storing
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id
        self._carried: dict[DoorAssociation, Carried] = {}
        self._lock = threading.Lock()
        ae = AE(ae_title)
        ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        ae.implementation_version_name = IMPLEMENTATION_VERSION
        ae.maximum_pdu_size = MAX_PDU
        ae.maximum_associations = max_associations
        ae.acse_timeout = ACSE_TIMEOUT_S
        ae.dimse_timeout = NETWORK_TIMEOUT_S
        ae.network_timeout = NETWORK_TIMEOUT_S
        ae.add_supported_context(Verification)
        self._ae = ae
        self._server: DoorServer | None = None
        self._thread: threading.Thread | None = None

    def open(self, host: str, port: int) -> int:
        """Listen; returns the port, for 0 asks for any that is free.

        Raises
        ------
        streams.errors.Unavailable
            When the address can't be had.
        """
        try:
            self._server = self._ae.make_server(
                (host, port),
                server_class=DoorServer,
                evt_handlers=[
                    (evt.EVT_C_STORE, self._on_store),
                    (evt.EVT_ESTABLISHED, self._on_established),
                    (evt.EVT_PDU_RECV, _note_abort),
                ],
                begin=self._storing.spool,
                on_end=self._on_end,
                max_connections=2 * self._ae.maximum_associations,
            )
        except OSError as error:
            raise Unavailable(
                f"Can't listen on {host}:{port}: {error.strerror}. Stop what does, or set CHIPS_DICOM_PORT"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="gateway-door")
        self._thread.start()
        return int(self._server.server_address[1])

    def close(self, grace_s: float) -> None:
        """Take no more connections, let open associations end for so long, then abort them."""
        if not self._server or not self._thread:
            return
        self._server.stop()
        self._thread.join()
        until = time.monotonic() + grace_s
        for association in self._server.active_associations:
            if association.is_established:
                association.join(max(0.0, until - time.monotonic()))
        for association in self._server.active_associations:
            association.hang_up()
            association.join(grace_s)

    def _on_established(self, event: evt.Event) -> None:
        carried = Carried(self._new_id(), self._storing.project)
        with self._lock:
            self._carried[event.assoc] = carried
        self._metrics.associations.inc()
        log.info(
            "association.established", correlationid=carried.association, calling_ae=_ae_title(event.assoc)
        )

    def _on_store(self, event: evt.Event) -> Dataset | int:
        association: DoorAssociation = event.assoc
        carried = self._carried[association]
        file = event.request._dataset_file  # noqa: SLF001 - event.dataset_path gives the path alone
        try:
            self._store(association, carried, file)
        except ObjectRefused as refused:
            return self._refuse(carried, refused)
        except Exception as error:  # noqa: BLE001 - a defect must not pass for success, nor end others' work
            log.error(  # noqa: TRY400 - where, and not what it says: that might quote a value
                "object.failed",
                correlationid=carried.association,
                kind=type(error).__name__,
                where=where_of(error),
            )
            return self._refuse(carried, failed())
        return _SUCCESS

    def _refuse(self, carried: Carried, refused: ObjectRefused) -> Dataset:
        self._metrics.refused.labels(refused.reason).inc()
        log.warning(
            "object.refused",
            correlationid=carried.association,
            reason=refused.reason,
            status=f"{refused.status:04X}",
        )
        answer = Dataset()
        answer.Status = refused.status
        answer.ErrorComment = refused.comment
        return answer

    def _store(self, association: DoorAssociation, carried: Carried, file: PynetdicomFile | None) -> None:
        if file is None:
            raise no_dataset()
        association.dimse.take(file.spool)
        try:
            received = file.spool.finish()
            with self._metrics.store_seconds.time():
                stored = self._storing.store(
                    received, association=carried.association, origin=_ae_title(association)
                )
        finally:
            file.spool.discard()
        self._carried[association] = carry(carried, stored.series)
        self._metrics.stored.inc()
        self._metrics.stored_bytes.inc(received.size)

    def _on_end(self, association: DoorAssociation) -> None:
        with self._lock:
            carried = self._carried.pop(association, None)
        if carried is None:
            return
        outcome = outcome_of(released=association.is_released, aborted=association.was_aborted)
        self._metrics.associations.dec()
        self._metrics.ended.labels(outcome).inc()
        log.info(
            "association.ended",
            correlationid=carried.association,
            outcome=outcome,
            series=len(carried.series),
            instances=sum(carried.series.values()),
        )
        events = ended(carried, outcome, self._clock())
        try:
            self._storing.record(events)
        except Unavailable as error:
            # Its series settle by their quiet time.
            log.warning("association.end_not_recorded", correlationid=carried.association, error=str(error))


def _note_abort(event: evt.Event) -> None:
    if isinstance(event.pdu, A_ABORT_RQ):
        event.assoc.was_aborted = True


def _ae_title(association: Any) -> str:
    return str(association.requestor.ae_title).strip() or "unknown"
