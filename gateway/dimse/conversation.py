"""An association that was agreed on, as services see it: who is there, and how they are answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.admission import Source
from gateway.associations import Carried
from gateway.dimse.exchange import Request
from gateway.dul import commands
from gateway.dul.negotiation import Proposal
from gateway.dul.pdus import command_pdu, data_set_pdus
from gateway.dul.stream import MAX_PDU, PduStream
from gateway.presence import Party
from gateway.reception import Reception
from gateway.refusal_events import Refused

_SMALLEST_PDU = 1024
"""A peer that takes less would have a report in a million pieces; none does."""


class Conversation:
    """What the services of one association share, in its thread.

    Attributes
    ----------
    carried
        What was stored; each service that stores gives it anew.
    """

    def __init__(
        self, reception: Reception, stream: PduStream, source: Source, proposal: Proposal, address: str
    ) -> None:
        self.reception = reception
        self.source = source
        self.calling_ae, self.called_ae = proposal.calling_ae, proposal.called_ae
        self.storing = reception.storing_for(source)
        self.carried = Carried(reception.new_id(), self.storing.project, began=reception.clock())
        self._stream = stream
        self._address = address
        self._largest = max(min(proposal.largest or MAX_PDU, MAX_PDU), _SMALLEST_PDU)

    @property
    def id(self) -> str:
        """The association's id, for logs."""
        return self.carried.association

    @property
    def party(self) -> Party:
        """Whose association it is."""
        return Party(self.storing.project, self.source.name)

    def answer(
        self, request: Request, status: int, comment: str = "", more: Mapping[int, bytes] | None = None
    ) -> None:
        """Answer a request, without a data set; see `gateway.dul.commands.response`."""
        response = commands.response(request.command, status, comment, more)
        self._stream.write(command_pdu(request.context_id, response))

    def ask(self, context_id: int, command: bytes, data: bytes) -> None:
        """Send a request of ours, with its data set."""
        self._write((command_pdu(context_id, command), *data_set_pdus(context_id, data, self._largest)))

    def tell_refused(self, reason: str) -> None:
        """Count an object that was not kept."""
        self.reception.counting.refused(
            Refused(
                kind="object",
                project=self.storing.project,
                source=self.source.name,
                reason=reason,
                address=self._address,
                association=self.id,
            )
        )

    def _write(self, pdus: Iterable[bytes]) -> None:
        for pdu in pdus:
            self._stream.write(pdu)
