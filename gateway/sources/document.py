"""The file of sources, as it is written. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from gateway.dul.negotiation import Accepts
from schemas.identity import ProjectId

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$(?!\n)")]
"""Of a source: it stands in events, and may be a metric's label."""
AeTitle = Annotated[str, msgspec.Meta(pattern=r"^[ -\[\]-~]{1,16}$(?!\n)")]
Whole = Annotated[int, msgspec.Meta(ge=1)]
Permission = Literal["store", "commit", "echo"]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is too much; None: only what holds for everybody."""

    associations: Whole | None = None
    """At once."""
    association_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """How long one may last, s."""
    object_mb: Whole | None = None
    """Of one object, MiB."""
    mb_per_hour: Whole | None = None
    """Of what is stored within an hour, MiB."""


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who a requestor may say it is (user identity negotiation, PS3.7, D.3.3.7)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    passcode: str = ""
    """As `chips sources passcode` prints it; empty: the name is enough."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a source takes reports of storage commitment on an association of ours."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    ae: AeTitle
    tls: bool = False
    """Whether TLS is spoken there, with the certificates of our own port."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source. What it does not name is not asked; of several that fit the one that asks more is taken."""

    calling_ae: list[AeTitle] = []
    called_ae: list[AeTitle] = []
    addresses: list[str] = []
    """Addresses and networks (CIDR), IPv4 and IPv6."""
    certificates: list[str] = []
    """sha256 of client certificates, hex, with or without colons."""
    users: list[User] = []
    """One of them must show up; none: who it says it is is not asked."""
    project: ProjectId | None = None
    """None: the setting's."""
    permissions: tuple[Permission, ...] | None = None
    limits: Limits = Limits()
    reply: Reply | None = None
    accept: Accepts | None = None


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds where a source says nothing, and for unknown requestors."""

    permissions: tuple[Permission, ...] = ("store", "commit", "echo")
    limits: Limits = Limits()
    """Of an unknown requestor by its address."""
    accept: Accepts | None = None
    """None: as the setting says."""


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    unknown: Literal["open", "closed"] = "closed"
    """Whether a requestor that no source fits comes in, under its calling AE title."""
    default: Defaults = Defaults()
    source: dict[Name, Entry] = {}
