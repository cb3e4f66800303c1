"""How many failed logins are too many. Pure: the window is a record, time is an argument."""

from __future__ import annotations

import ipaddress
import unicodedata
from datetime import datetime, timedelta

import msgspec

WINDOW = timedelta(minutes=15)
PER_NAME = 5
PER_ADDRESS = 30
_V6_SITE = 64
"""Bits of an IPv6 address that name a site; one person has all addresses behind them."""


class Attempts(msgspec.Struct, frozen=True):
    """Attempts since `since` that failed or are not decided yet."""

    since: datetime
    failed: int


def wait_s(attempts: Attempts | None, limit: int, now: datetime) -> int:
    """How long to wait before the next attempt, s; 0: now.

    Parameters
    ----------
    limit
        Failures allowed in one window.
    """
    if attempts is None or attempts.failed < limit:
        return 0
    return (
        max(0, int((attempts.since + WINDOW - now).total_seconds()) + 1)
        if now < attempts.since + WINDOW
        else 0
    )


def counted(attempts: Attempts | None, now: datetime) -> Attempts:
    """Count one more attempt, in a new window when the old one is over."""
    if attempts is None or now >= attempts.since + WINDOW:
        return Attempts(now, 1)
    return Attempts(attempts.since, attempts.failed + 1)


def refunded(attempts: Attempts | None, since: datetime) -> Attempts | None:
    """Take back one attempt that was counted in the window since `since`; None when that window is over."""
    if attempts is None or attempts.since != since or attempts.failed == 0:
        return None
    return Attempts(attempts.since, attempts.failed - 1)


def login_name(given: str) -> str:
    """Give the one spelling of a login name that is looked up, and counted: another is not another chance."""
    return unicodedata.normalize("NFKC", given).lower()[:64]


def site(address: str) -> str:
    """Give what an address is counted as: IPv4 itself, IPv6 its /64, all of which one person may use."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), _V6_SITE), strict=False))
