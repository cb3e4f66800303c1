"""What the associations of a process share: storing, who is let in, limits, counts."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from pynetdicom.sop_class import Verification

from gateway.admission import Admission, Guest, Source
from gateway.associations import Outcome
from gateway.commitment.holdings import Finds
from gateway.commitment.messages import SOP_CLASS as COMMITMENT
from gateway.commitment.messages import SYNTAXES as COMMITMENT_SYNTAXES
from gateway.dul.negotiation import SOURCE_LIMIT, Accepts, Ours, Proposal, Rejection
from gateway.dul.stream import MAX_PDU
from gateway.presence import Party
from gateway.quotas import Quotas
from gateway.refusal_events import Refused
from gateway.spool import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from gateway.storing import Storing
from gateway.tls import Contexts
from streams.clock import Clock


class Limits(NamedTuple):
    """How long things may take, s."""

    request_s: float = 30.0
    """Until an A-ASSOCIATE-RQ came (the ARTIM timer, PS3.8, 9.1.5)."""
    idle_s: float = 60.0
    """Between two PDUs, and between two pieces of one."""
    pdu_s: float = 120.0
    """For one PDU."""
    total_s: float = 24 * 3600.0
    """For an association."""


class Counting(Protocol):
    """Counts what associations do. Reasons and outcomes are words of ours, never a peer's."""

    def opened(self, party: Party) -> None:
        """Count an association that was agreed on."""

    def ended(self, party: Party, outcome: Outcome) -> None:
        """Count the end of an association."""

    def stored(self, size: int, seconds: float) -> None:
        """Count an acknowledged object: its bytes, and the seconds from its last byte to its durability."""

    def refused(self, refused: Refused) -> None:
        """Count a requestor that was sent away, or an object that was not kept."""

    def committed(self, outcome: Committed) -> None:
        """Count a request for storage commitment."""

    def reported(self, outcome: Reported) -> None:
        """Count a report of storage commitment that is done with."""


Committed = Literal["kept", "incomplete", "refused"]
"""What became of a request for storage commitment: all is kept, some is not, or it was not followed."""
Reported = Literal["answered", "delivered", "no-address", "given-up"]
"""What became of a report: the peer took it on its own association, or on one of ours, or nobody did."""


OURS = Ours(
    MAX_PDU,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION,
    MappingProxyType({str(Verification): (), COMMITMENT: COMMITMENT_SYNTAXES}),
)


class Reception(NamedTuple):
    """Safe for many threads."""

    storing: Storing
    """For the project of the setting."""
    admission: Admission
    counting: Counting
    clock: Clock
    new_id: Callable[[], str]
    """Makes an association's id (uuid7)."""
    quotas: Quotas
    holdings: Finds
    limits: Limits = Limits()
    ours: Ours = OURS
    accepts: Accepts = "any"
    tls: Contexts | None = None
    """Of ports that speak TLS."""
    storing_of: Callable[[str], Storing] | None = None
    """For other projects."""

    def admit(self, guest: Guest, proposal: Proposal) -> Source | Rejection:
        """Judge a requestor, and count it where its source may have so many at once: see `leave`."""
        found = self.admission.judge(guest, proposal)
        if isinstance(found, Rejection):
            return found
        most = found.allowance.associations
        return found if most is None or self.quotas.enter(found.account, most) else SOURCE_LIMIT

    def leave(self, source: Source) -> None:
        """Count the end of an association that was admitted, once."""
        if source.allowance.associations is not None:
            self.quotas.leave(source.account)

    def spend(self, source: Source, size: int) -> float:
        """Spend bytes; 0, or how long its source has not as much left, s."""
        most = source.allowance.bytes_per_hour
        return 0.0 if most is None else self.quotas.spend(source.account, size, most)

    def storing_for(self, source: Source) -> Storing:
        """Give what keeps a source's images."""
        if not source.project or self.storing_of is None:
            return self.storing
        return self.storing_of(source.project)

    def ours_for(self, source: Source) -> Ours:
        """Give what we offer a source."""
        services = {
            name: syntaxes
            for name, syntaxes in self.ours.services.items()
            if source.may_echo or name != Verification
        }
        return self.ours._replace(services=services, accepts=source.accepts or self.accepts)
