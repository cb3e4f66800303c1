"""Where a request comes from, when proxies that we trust stand before us. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from streams.errors import Rejected

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(setting: str) -> tuple[Network, ...]:
    """Read the setting `trusted_proxies`: addresses and networks (CIDR), separated by commas.

    Raises
    ------
    streams.errors.Rejected
        When one is neither; names it.
    """
    found = []
    for part in filter(None, (part.strip() for part in setting.split(","))):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError as error:
            raise Rejected(
                f"Setting trusted_proxies: {part} is no address and no network like 10.0.0.0/8 ({error})"
            ) from error
    return tuple(found)


def client(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Give the address of whoever sent a request; "unknown" when there is none (a Unix socket).

    Each proxy appends to the right whom it heard from, so that what stands left of the first one whom
    we don't trust is that one's claim, and counts for nothing.

    Parameters
    ----------
    peer
        The address at the other end of the connection.
    forwarded
        The values of ``X-Forwarded-For``, in the order of the headers.
    trusted
        Proxies whose word we take.
    """
    heard = _address(peer or "")
    if heard is None:
        return peer or "unknown"
    for claim in reversed(",".join(forwarded).split(",")):
        if not _within(heard, trusted):
            break
        before = _address(claim)
        if before is None:
            break
        heard = before
    return str(heard)


def _within(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted if network.version == address.version)


def _address(text: str) -> Address | None:
    """Read an address as proxies write it: bare, or with a port, then IPv6 in brackets."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
