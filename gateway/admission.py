"""Who is at the door, and what they may: the words that judging them needs. Pure."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from gateway.dul.negotiation import Accepts, Proposal, Rejection


class Guest(NamedTuple):
    """The other end of a connection."""

    address: str
    """IP address."""
    certificate: str | None = None
    """sha256 of the client certificate that TLS has verified, hex; None without one."""


class Call(NamedTuple):
    """A connection that came in."""

    address: str
    """IP address of the other end."""
    is_tls: bool = False
    """Whether it begins with a TLS handshake."""
    rejection: Rejection | None = None
    """What to answer, whatever is asked for."""


class Allowance(NamedTuple):
    """How much a source may; None: as much as anybody."""

    associations: int | None = None
    """At once."""
    association_s: float | None = None
    """How long one may last, s."""
    object_bytes: int | None = None
    """Of one object."""
    bytes_per_hour: int | None = None
    """Of what is stored."""


class ReplyTo(NamedTuple):
    """Where a source takes reports on an association of ours."""

    host: str
    port: int
    ae: str
    is_tls: bool = False


class Source(NamedTuple):
    """A peer that was let in, and what it may."""

    name: str
    """Of the configured source, or the calling AE title."""
    project: str = ""
    """That its images belong to; empty: the setting's."""
    may_store: bool = True
    may_commit: bool = True
    may_echo: bool = True
    is_identified: bool = False
    """Whether who it says it is was judged, and is so."""
    account: str = ""
    """What its limits are counted by: its name, or the address of one that has none."""
    allowance: Allowance = Allowance()
    reply: ReplyTo | None = None
    """None: nowhere."""
    accepts: Accepts | None = None
    """None: as the setting says."""


class Admission(Protocol):
    """Judges who may come in."""

    def judge(self, guest: Guest, proposal: Proposal) -> Source | Rejection:
        """Tell what a requestor may, or why it is sent away."""


class Everybody:
    """Lets everybody in, under the name they give."""

    def judge(self, guest: Guest, proposal: Proposal) -> Source | Rejection:  # noqa: ARG002 - part of the protocol
        """Tell what a requestor may: all."""
        return Source(proposal.calling_ae)
