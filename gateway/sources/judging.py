"""Which source a requestor is, and why it is none. Pure.

A source fits when everything that it names does. Of several the most specific counts: one that names the
certificate before one that does not, then the narrower network, then the calling, then the called AE title;
the first in the file where all that is equal.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from gateway.admission import Guest, Source
from gateway.dul.negotiation import CALLED_AE, CALLING_AE, USER_IDENTITY, Rejection, UserIdentity
from gateway.sources.passcodes import Passcode
from gateway.sources.rules import Identity, Network, Rule, Rules

ADDRESS = Rejection(1, 1, 1, "address")
CERTIFICATE = Rejection(1, 1, 1, "certificate")
_NAME, _NAME_AND_PASSCODE = 1, 2
_IPV6_BITS, _IPV4_BITS = 128, 32

Verify = Callable[[Passcode, bytes], bool]


class _Asking(NamedTuple):
    address: IPv4Address | IPv6Address
    certificate: str | None
    calling_ae: str
    called_ae: str


def chosen(rules: Rules, guest: Guest, calling_ae: str, called_ae: str) -> Rule | Rejection:
    """Give the rule that a requestor comes under; who it says it is, is not judged yet.

    Who knocks from an address that no source has learns nothing of AE titles.
    """
    asking = _Asking(_address(guest.address), guest.certificate, calling_ae, called_ae)
    left = list(rules.sources)
    why = ADDRESS
    for fits, why in _FITTING:  # noqa: B007 - that of the last one is told
        left = [rule for rule in left if fits(rule, asking)]
        if not left:
            break
    if left:
        return max(left, key=lambda rule: _specificity(rule, asking))
    if rules.unknown is None or calling_ae in rules.claimed:
        return why
    return Rule(rules.unknown._replace(name=calling_ae, account=str(asking.address)))


def identified(rule: Rule, identity: UserIdentity | None, verify: Verify) -> Source | Rejection:
    """Judge who a requestor says it is, where its source asks for that; else it is not looked at."""
    if not rule.users:
        return rule.source
    if identity is None or identity.kind not in (_NAME, _NAME_AND_PASSCODE):
        return USER_IDENTITY
    named = [user for user in rule.users if user.name == identity.primary]
    # As much work for a name that nobody has as for a wrong passcode.
    users = named or [user for user in rule.users if user.passcode][:1]
    fitting = [user for user in users if _shown(user, identity, verify)]
    if not named or not fitting:
        return USER_IDENTITY
    return rule.source._replace(is_identified=True)


def _shown(user: Identity, identity: UserIdentity, verify: Verify) -> bool:
    if user.passcode is None:
        return True
    return identity.kind == _NAME_AND_PASSCODE and verify(user.passcode, identity.secondary)


def _has_address(rule: Rule, asking: _Asking) -> bool:
    return not rule.networks or any(_within(asking.address, network) for network in rule.networks)


def _has_certificate(rule: Rule, asking: _Asking) -> bool:
    return not rule.certificates or asking.certificate in rule.certificates


def _has_calling(rule: Rule, asking: _Asking) -> bool:
    return not rule.calling_ae or asking.calling_ae in rule.calling_ae


def _has_called(rule: Rule, asking: _Asking) -> bool:
    return not rule.called_ae or asking.called_ae in rule.called_ae


_FITTING = (
    (_has_address, ADDRESS),
    (_has_certificate, CERTIFICATE),
    (_has_calling, CALLING_AE),
    (_has_called, CALLED_AE),
)


def _specificity(rule: Rule, asking: _Asking) -> tuple[bool, int, bool, bool]:
    narrowest = max(
        (
            network.prefixlen + (_IPV6_BITS - _IPV4_BITS if network.version == 4 else 0)  # noqa: PLR2004
            for network in rule.networks
            if _within(asking.address, network)
        ),
        default=-1,
    )
    return bool(rule.certificates), narrowest, bool(rule.calling_ae), bool(rule.called_ae)


def _within(address: IPv4Address | IPv6Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _address(text: str) -> IPv4Address | IPv6Address:
    """Read an address; one of IPv4 as IPv6 has it (::ffff:a.b.c.d) is one of IPv4, and zones don't count."""
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
