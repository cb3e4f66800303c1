"""A report on an association of ours, by pynetdicom."""

from __future__ import annotations

from gateway.admission import ReplyTo
from gateway.commitment.messages import SOP_CLASS, SOP_INSTANCE, SYNTAXES, report
from gateway.commitment.reports import Report
from gateway.commitment.service import event_type
from gateway.dul.commands import SUCCESS
from gateway.peer import Peer, n_event_report

TIMEOUT_S = 15.0
"""For connecting, and for each answer, s: other addresses wait meanwhile."""


def reach(made: Report, reply: ReplyTo) -> bool:
    """Bring a report to its address; tell whether it was taken."""
    peer = Peer(reply.host, reply.port, reply.ae, made.calling_ae)
    association = peer.associate(
        [(SOP_CLASS, syntax) for syntax in SYNTAXES], as_scp=True, timeout_s=TIMEOUT_S
    )
    if not association.is_established:
        return False
    try:
        # Not every peer answers the role selection; one that accepts the class knows what it asked for.
        context = association.accepted_contexts[0]
        data = report(made.asked, made.failures, str(context.transfer_syntax[0]))
        status = n_event_report(
            association, context.context_id, (SOP_CLASS, SOP_INSTANCE), event_type(made), data
        )
    finally:
        if association.is_established:
            association.release()
    return status == SUCCESS
