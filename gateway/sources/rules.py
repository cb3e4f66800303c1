"""Sources as they are judged by: parsed, checked, defaults filled in. Pure."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

import msgspec

from gateway.admission import Allowance, ReplyTo, Source
from gateway.sources.document import Defaults, Document, Entry, Limits, Permission
from gateway.sources.passcodes import Passcode
from streams.errors import Misconfigured

Network = IPv4Network | IPv6Network
_MIB = 1024 * 1024
_DIGEST = 64


class Identity(NamedTuple):
    """A user of a source; `passcode` None: the name is enough."""

    name: bytes
    passcode: Passcode | None

    def __repr__(self) -> str:
        """Keep names out of logs and tracebacks."""
        return "Identity(...)"


class Rule(NamedTuple):
    """Whom a source fits, empty for all, and what it may."""

    source: Source
    calling_ae: frozenset[str] = frozenset()
    called_ae: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    certificates: frozenset[str] = frozenset()
    users: tuple[Identity, ...] = ()


class Rules(NamedTuple):
    """All that judging needs."""

    sources: tuple[Rule, ...]
    unknown: Source | None
    """What a requestor gets that no source fits; its name is filled in. None: it is sent away."""
    claimed: frozenset[str]
    """AE titles and names of sources: nobody else comes in under them."""

    @property
    def projects(self) -> frozenset[str]:
        """Projects that are named."""
        return frozenset(rule.source.project for rule in self.sources if rule.source.project)


def compiled(document: Document) -> Rules:
    """Make rules.

    Raises
    ------
    streams.errors.Misconfigured
        When an address, certificate or passcode is none; names the source.
    """
    rules = tuple(_rule(name, entry, document.default) for name, entry in document.source.items())
    default = document.default
    unknown = _source("", None, default.permissions, default.limits)._replace(accepts=default.accept)
    return Rules(
        rules,
        unknown if document.unknown == "open" else None,
        frozenset(document.source).union(*(rule.calling_ae for rule in rules)),
    )


def _rule(name: str, entry: Entry, default: Defaults) -> Rule:
    limits = msgspec.structs.asdict(default.limits) | {
        limit: value for limit, value in msgspec.structs.asdict(entry.limits).items() if value is not None
    }
    permissions = default.permissions if entry.permissions is None else entry.permissions
    if not (entry.calling_ae or entry.called_ae or entry.addresses or entry.certificates or entry.users):
        raise Misconfigured(f"Source {name} would be everybody: say who it is, by calling_ae or addresses.")
    return Rule(
        _source(name, entry.project, permissions, Limits(**limits))._replace(
            reply=_reply(entry), accepts=entry.accept or default.accept
        ),
        frozenset(title.strip(" ") for title in entry.calling_ae),
        frozenset(title.strip(" ") for title in entry.called_ae),
        tuple(_network(name, text) for text in entry.addresses),
        frozenset(_digest(name, text) for text in entry.certificates),
        tuple(_identity(name, user.name, user.passcode) for user in entry.users),
    )


def _source(name: str, project: str | None, permissions: tuple[Permission, ...], limits: Limits) -> Source:
    return Source(
        name=name,
        project=project or "",
        may_store="store" in permissions,
        may_commit="commit" in permissions,
        may_echo="echo" in permissions,
        account=name,
        allowance=Allowance(
            associations=limits.associations,
            association_s=limits.association_s,
            object_bytes=limits.object_mb and limits.object_mb * _MIB,
            bytes_per_hour=limits.mb_per_hour and limits.mb_per_hour * _MIB,
        ),
    )


def _reply(entry: Entry) -> ReplyTo | None:
    reply = entry.reply
    return None if reply is None else ReplyTo(reply.host, reply.port, reply.ae.strip(" "), reply.tls)


def _network(source: str, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise Misconfigured(f"Source {source}, addresses: {error}.") from error


def _digest(source: str, text: str) -> str:
    digest = text.replace(":", "").lower()
    if len(digest) != _DIGEST or not set(digest) <= set("0123456789abcdef"):
        raise Misconfigured(
            f"Source {source}, certificates: {text!r} is no sha256; "
            "`openssl x509 -noout -fingerprint -sha256 -in FILE` prints it."
        )
    return digest


def _identity(source: str, name: str, passcode: str) -> Identity:
    try:
        return Identity(name.encode(), Passcode.parse(passcode) if passcode else None)
    except ValueError as error:
        raise Misconfigured(
            f"Source {source}, users: a passcode is none: `chips sources passcode` makes it."
        ) from error
