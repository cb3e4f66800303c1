"""A report on an association of ours, by pynetdicom."""

from __future__ import annotations

from gateway.admission import ReplyTo
from gateway.commitment.messages import SOP_CLASS, SOP_INSTANCE, SYNTAXES, report
from gateway.commitment.reports import Report
from gateway.commitment.service import event_type
from gateway.dul.commands import SUCCESS
from gateway.peer import Peer, n_event_report
from gateway.tls import TlsFiles, peer_context

TIMEOUT_S = 15.0
"""For connecting, and for each answer, s: other addresses wait meanwhile."""


def reach(made: Report, reply: ReplyTo, tls: TlsFiles | None) -> bool:
    """Bring a report to its address; tell whether it was taken.

    Parameters
    ----------
    tls
        Certificates, for an address where TLS is spoken.

    Raises
    ------
    streams.errors.Misconfigured
        When they can't be used.
    """
    context = peer_context(tls) if reply.is_tls else None
    peer = Peer(reply.host, reply.port, reply.ae, made.calling_ae, context)
    association = peer.associate(
        [(SOP_CLASS, syntax) for syntax in SYNTAXES], as_scp=True, timeout_s=TIMEOUT_S
    )
    if not association.is_established:
        return False
    try:
        # Not every peer answers the role selection; one that accepts the class knows what it asked for.
        accepted = association.accepted_contexts[0]
        data = report(made.asked, made.failures, str(accepted.transfer_syntax[0]))
        status = n_event_report(
            association, accepted.context_id, (SOP_CLASS, SOP_INSTANCE), event_type(made), data
        )
    finally:
        if association.is_established:
            association.release()
    return status == SUCCESS
