"""One association from its first byte to its end: what a peer asks for, in order, in the caller's thread.

Fragments go to the disk as they come; nothing of an object is held but the fragment at hand. Success is sent
only after `Storing.store`. No identifying value is logged.
"""

from __future__ import annotations

import socket
import time
from typing import Literal, NamedTuple

import structlog

from gateway.admission import Call, Guest, Source
from gateway.associations import Carried, Outcome, carry, ended, refuse
from gateway.dul import commands
from gateway.dul.commands import Command, Field
from gateway.dul.negotiation import Agreement, Rejection, agree, parse
from gateway.dul.pdus import RELEASE_RP, Fragment, Kind, Reason, Violation, abort_pdu, command_pdu, fragments
from gateway.dul.stream import Closed, PduStream, Silent
from gateway.errors import ObjectRefused, where_of
from gateway.reception import Reception
from gateway.refusal_events import Refused
from gateway.refusals import failed, invalid_instance, no_dataset, not_authorized, over_quota
from gateway.spool import Announced, Received, Spool
from gateway.tls import HandshakeFailed, fingerprint, secured
from streams.errors import Unavailable

log = structlog.get_logger()

_LARGEST_COMMAND = 16 * 1024
_OVER_S = 1.0
"""How long objects of a source over its quota are refused before they are received, s; then one is tried."""


class _Awaited(NamedTuple):
    """A request whose data set is on its way; `spool` is None when it is refused anyway."""

    request: Command
    context_id: int
    spool: Spool | None
    refused: ObjectRefused | None


class Association:
    """Serves one connection.

    Parameters
    ----------
    reception
        What all associations share.
    connection
        Connected; closed at the end.
    call
        Where it comes from, and what is known of it already.
    """

    def __init__(self, reception: Reception, connection: socket.socket, call: Call) -> None:
        self._reception = reception
        self._connection = connection
        self._call = call
        self.address = call.address
        self._guest = Guest(call.address)
        self._stream = _stream(reception, connection)
        self._carried = Carried("", reception.storing.project)
        self._source = Source("")
        self._is_inside = False
        self._over_until = 0.0
        self._storing = reception.storing
        self._agreement: Agreement | None = None
        self._command = bytearray()
        self._command_context = 0
        self._awaited: _Awaited | None = None
        self._hung_up = False

    def serve(self) -> None:
        """Serve it to its end, whatever that is; never raises."""
        outcome: Outcome = "lost"
        try:
            self._secure()
            outcome = self._served()
        except HandshakeFailed as failure:
            self._reject(failure.word)
        except Violation as violation:
            log.warning("association.violated", correlationid=self._carried.association, error=str(violation))
            self._stream.last_word(abort_pdu(violation.reason))
            outcome = "aborted"
        except Silent:
            self._stream.last_word(abort_pdu(Reason.NOT_SPECIFIED))
        except Closed:
            if self._hung_up:
                self._stream.last_word(abort_pdu())
                outcome = "aborted"
        except Exception as error:  # noqa: BLE001 - a defect ends this association and no other
            log.error(  # noqa: TRY400 - where, and not what it says: that might quote a value
                "association.failed",
                correlationid=self._carried.association,
                kind=type(error).__name__,
                where=where_of(error),
            )
            self._stream.last_word(abort_pdu(Reason.NOT_SPECIFIED))
            outcome = "aborted"
        finally:
            if self._awaited and self._awaited.spool:
                self._awaited.spool.discard()
            self._stream.close()
            self._leave()
            if self._agreement:
                self._tell_end(outcome)

    def hang_up(self) -> None:
        """End it from another thread, as soon as what is at hand is done."""
        self._hung_up = True
        self._stream.stop_reading()

    def _secure(self) -> None:
        """Shake hands where the port speaks TLS; here, so that a slow peer holds up nobody else."""
        if not self._call.is_tls:
            return
        if self._reception.tls is None:
            raise HandshakeFailed("tls-failed")
        connection = secured(self._connection, self._reception.tls.current().context)
        self._stream = _stream(self._reception, connection)
        self._guest = self._guest._replace(certificate=fingerprint(connection))
        if self._hung_up:
            raise Closed

    def _served(self) -> Outcome:
        agreement = self._agreed()
        if agreement is None:
            return "released"
        until = time.monotonic() + min(
            self._reception.limits.total_s, self._source.allowance.association_s or float("inf")
        )
        while time.monotonic() < until:
            kind, body = self._stream.read()
            if kind is Kind.P_DATA_TF:
                for fragment in fragments(body):
                    self._take(agreement, fragment)
            elif kind is Kind.RELEASE_RQ:
                self._leave()  # before the peer hears it, so that its next association is not one too many
                self._stream.last_word(RELEASE_RP)
                return "released"
            elif kind is Kind.ABORT:
                return "aborted"
            else:
                raise Violation(Reason.UNEXPECTED_PDU, "A PDU that an open association has no use for.")
        raise Silent

    def _agreed(self) -> Agreement | None:
        """Negotiate; None when the requestor was sent away."""
        kind, body = self._stream.read(self._reception.limits.request_s)
        if kind is Kind.ABORT:
            raise Closed
        if kind is not Kind.ASSOCIATE_RQ:
            raise Violation(Reason.UNEXPECTED_PDU, "The first PDU is not an A-ASSOCIATE-RQ.")
        proposal = parse(body)
        if not isinstance(proposal, Rejection):
            self._source = Source(proposal.calling_ae)
            found = self._call.rejection or self._reception.admit(self._guest, proposal)
            if isinstance(found, Source):
                self._source, self._is_inside = found, True
                self._storing = self._reception.storing_for(found)
                self._agreement = agreement = agree(
                    proposal, self._reception.ours_for(found), identified=found.is_identified
                )
                self._carried = Carried(
                    self._reception.new_id(), self._storing.project, began=self._reception.clock()
                )
                self._reception.counting.opened()
                log.info(
                    "association.established",
                    correlationid=self._carried.association,
                    calling_ae=proposal.calling_ae,
                    source=found.name,
                )
                self._stream.write(agreement.pdu)
                return agreement
            proposal = found
        self._reject(proposal.word)
        self._stream.last_word(proposal.pdu)
        return None

    def _reject(self, word: str) -> None:
        log.warning("association.rejected", reason=word)
        self._tell_refused("association", word)

    def _tell_refused(self, kind: Literal["association", "object"], reason: str) -> None:
        self._reception.counting.refused(
            Refused(
                kind=kind,
                project=self._carried.project,
                source=self._source.name,
                reason=reason,
                address=self._guest.address,
                association=self._carried.association or None,
            )
        )

    def _leave(self) -> None:
        if self._is_inside:
            self._is_inside = False
            self._reception.leave(self._source)

    def _take(self, agreement: Agreement, fragment: Fragment) -> None:
        if not fragment.is_command:
            self._take_data(fragment)
            return
        if self._awaited or (self._command and fragment.context_id != self._command_context):
            raise Violation(Reason.UNEXPECTED_PARAMETER, "A command where a data set is to come.")
        if len(self._command) + len(fragment.data) > _LARGEST_COMMAND:
            raise Violation(Reason.INVALID_PARAMETER, "A command that is longer than any.")
        self._command += fragment.data
        self._command_context = fragment.context_id
        if fragment.is_last:
            request = commands.parse(self._command)
            self._command.clear()
            context = agreement.contexts.get(fragment.context_id)
            if context is None:
                raise Violation(Reason.UNEXPECTED_PARAMETER, "A command for a context that was not accepted.")
            self._begin(fragment.context_id, context.transfer_syntax, request)

    def _begin(self, context_id: int, transfer_syntax: str, request: Command) -> None:
        match request.field:
            case Field.C_STORE:
                self._begin_store(context_id, transfer_syntax, request)
            case Field.C_ECHO:
                self._answer(context_id, request, commands.SUCCESS)
            case Field.C_CANCEL:
                pass  # nothing here can be cancelled
            case _ if request.has_data_set:
                raise Violation(Reason.UNEXPECTED_PARAMETER, "A request that no service here knows.")
            case _:
                self._answer(context_id, request, commands.UNRECOGNIZED_OPERATION)

    def _begin_store(self, context_id: int, transfer_syntax: str, request: Command) -> None:
        refused: ObjectRefused | None = None
        spool: Spool | None = None
        if not self._source.may_store:
            refused = not_authorized()
        elif time.monotonic() < self._over_until:
            refused = over_quota()
        elif not commands.is_uid(request.sop_class_uid) or not commands.is_uid(request.sop_instance_uid):
            refused = invalid_instance()
        if not request.has_data_set:
            self._refuse(context_id, request, refused or no_dataset())
            return
        if refused is None:
            spool = self._storing.spool(
                Announced(request.sop_class_uid, request.sop_instance_uid, transfer_syntax),
                self._source.allowance.object_bytes,
            )
        self._awaited = _Awaited(request, context_id, spool, refused)

    def _take_data(self, fragment: Fragment) -> None:
        awaited = self._awaited
        if awaited is None or fragment.context_id != awaited.context_id:
            raise Violation(Reason.UNEXPECTED_PARAMETER, "A data set without a command.")
        if awaited.spool:
            awaited.spool.write(fragment.data)
        if not fragment.is_last:
            return
        self._awaited = None
        if awaited.refused or not awaited.spool:
            self._refuse(awaited.context_id, awaited.request, awaited.refused or failed())
        else:
            self._store(awaited.context_id, awaited.request, awaited.spool)

    def _store(self, context_id: int, request: Command, spool: Spool) -> None:
        try:
            began = time.perf_counter()
            received = spool.finish()
            if wait := self._reception.spend(self._source, received.size):
                self._over_until = time.monotonic() + min(wait, _OVER_S)
                raise over_quota()  # noqa: TRY301 - answered as any other refusal
            self._stored(received, began)
        except ObjectRefused as refused:
            self._refuse(context_id, request, refused)
        except Exception as error:  # noqa: BLE001 - a defect must not pass for success, nor end others' work
            log.error(  # noqa: TRY400 - where, and not what it says: that might quote a value
                "object.failed",
                correlationid=self._carried.association,
                kind=type(error).__name__,
                where=where_of(error),
            )
            self._refuse(context_id, request, failed())
        else:
            self._answer(context_id, request, commands.SUCCESS)
        finally:
            spool.discard()

    def _stored(self, received: Received, began: float) -> None:
        stored = self._storing.store(
            received, association=self._carried.association, origin=self._source.name
        )
        self._carried = carry(self._carried, stored.series)
        self._reception.counting.stored(received.size, time.perf_counter() - began)

    def _refuse(self, context_id: int, request: Command, refused: ObjectRefused) -> None:
        self._carried = refuse(self._carried, request.sop_class_uid)
        self._tell_refused("object", refused.reason)
        log.warning(
            "object.refused",
            correlationid=self._carried.association,
            reason=refused.reason,
            status=f"{refused.status:04X}",
        )
        self._answer(context_id, request, refused.status, refused.comment)

    def _answer(self, context_id: int, request: Command, status: int, comment: str = "") -> None:
        self._stream.write(command_pdu(context_id, commands.response(request, status, comment)))

    def _tell_end(self, outcome: Outcome) -> None:
        carried = self._carried
        self._reception.counting.ended(outcome)
        log.info(
            "association.ended",
            correlationid=carried.association,
            outcome=outcome,
            series=len(carried.series),
            instances=sum(carried.series.values()),
        )
        events = ended(carried, outcome, self._reception.clock())
        try:
            self._storing.record(events)
        except Unavailable as error:
            # Its series settle by their quiet time.
            log.warning("association.end_not_recorded", correlationid=carried.association, error=str(error))


def _stream(reception: Reception, connection: socket.socket) -> PduStream:
    return PduStream(connection, idle_s=reception.limits.idle_s, pdu_s=reception.limits.pdu_s)
