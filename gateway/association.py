"""One association from its first byte to its end, in the caller's thread. No identifying value is logged."""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

import structlog

from gateway.admission import Call, Guest, Source
from gateway.associations import Outcome, ended
from gateway.commitment.service import Commitment
from gateway.dimse.conversation import Conversation
from gateway.dimse.exchange import Exchange, Then
from gateway.dimse.storage import Storage
from gateway.dul import commands
from gateway.dul.commands import RESPONSE, Field
from gateway.dul.negotiation import Proposal, Rejection, agree, parse
from gateway.dul.pdus import RELEASE_RP, Kind, Reason, Violation, abort_pdu, fragments
from gateway.dul.stream import Closed, PduStream, Silent
from gateway.errors import where_of
from gateway.reception import Reception
from gateway.refusal_events import Refused
from gateway.tls import HandshakeFailed, fingerprint, secured
from streams.errors import Unavailable

log = structlog.get_logger()


class _Opened(NamedTuple):
    """An association that was agreed on."""

    conversation: Conversation
    exchange: Exchange
    commitment: Commitment


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
        self._source = Source("")
        self._is_inside = False
        self._opened: _Opened | None = None
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
            log.warning("association.violated", correlationid=self._id, error=str(violation))
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
                correlationid=self._id,
                kind=type(error).__name__,
                where=where_of(error),
            )
            self._stream.last_word(abort_pdu(Reason.NOT_SPECIFIED))
            outcome = "aborted"
        finally:
            self._stream.close()
            self._leave()
            if self._opened:
                self._opened.exchange.discard()
                self._opened.commitment.close()
                self._tell_end(self._opened.conversation, outcome)

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

    @property
    def _id(self) -> str:
        return self._opened.conversation.id if self._opened else ""

    def _served(self) -> Outcome:
        opened = self._agreed()
        if opened is None:
            return "released"
        until = time.monotonic() + min(
            self._reception.limits.total_s, self._source.allowance.association_s or float("inf")
        )
        while time.monotonic() < until:
            kind, body = self._stream.read()
            if kind is Kind.P_DATA_TF:
                for fragment in fragments(body):
                    opened.exchange.take(fragment)
            elif kind is Kind.RELEASE_RQ:
                self._leave()  # before the peer hears it, so that its next association is not one too many
                self._stream.last_word(RELEASE_RP)
                return "released"
            elif kind is Kind.ABORT:
                return "aborted"
            else:
                raise Violation(Reason.UNEXPECTED_PDU, "A PDU that an open association has no use for.")
        raise Silent

    def _agreed(self) -> _Opened | None:
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
                return self._open(found, proposal)
            proposal = found
        self._reject(proposal.word)
        self._stream.last_word(proposal.pdu)
        return None

    def _open(self, source: Source, proposal: Proposal) -> _Opened:
        agreement = agree(proposal, self._reception.ours_for(source), identified=source.is_identified)
        conversation = Conversation(self._reception, self._stream, source, proposal, self._guest.address)
        storage, commitment = Storage(conversation), Commitment(conversation)
        exchange = Exchange(
            agreement,
            {
                Field.C_STORE: storage.begin,
                Field.C_ECHO: lambda request: Then(lambda: conversation.answer(request, commands.SUCCESS)),
                Field.C_CANCEL: lambda _: Then(),  # nothing here can be cancelled
                Field.N_ACTION: commitment.begin,
                Field.N_EVENT_REPORT | RESPONSE: commitment.answered,
            },
            lambda request: Then(lambda: conversation.answer(request, commands.UNRECOGNIZED_OPERATION)),
        )
        self._reception.counting.opened(conversation.party)
        log.info(
            "association.established",
            correlationid=conversation.id,
            calling_ae=proposal.calling_ae,
            source=source.name,
        )
        self._opened = _Opened(conversation, exchange, commitment)
        self._stream.write(agreement.pdu)
        return self._opened

    def _reject(self, word: str) -> None:
        """Tell of a requestor that is sent away."""
        log.warning("association.rejected", reason=word)
        self._reception.counting.refused(
            Refused(
                kind="association",
                project=self._reception.storing.project,
                source=self._source.name,
                reason=word,
                address=self._guest.address,
            )
        )

    def _leave(self) -> None:
        if self._is_inside:
            self._is_inside = False
            self._reception.leave(self._source)

    def _tell_end(self, conversation: Conversation, outcome: Outcome) -> None:
        carried = conversation.carried
        self._reception.counting.ended(conversation.party, outcome)
        log.info(
            "association.ended",
            correlationid=carried.association,
            outcome=outcome,
            series=len(carried.series),
            instances=sum(carried.series.values()),
        )
        events = ended(carried, outcome, self._reception.clock())
        try:
            conversation.storing.record(events)
        except Unavailable as error:
            # Its series settle by their quiet time.
            log.warning("association.end_not_recorded", correlationid=carried.association, error=str(error))


def _stream(reception: Reception, connection: socket.socket) -> PduStream:
    return PduStream(connection, idle_s=reception.limits.idle_s, pdu_s=reception.limits.pdu_s)
