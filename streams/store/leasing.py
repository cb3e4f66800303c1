"""Who may have a lease. Pure; the stores compare and set."""

from __future__ import annotations

from datetime import UTC, datetime

from streams.store.api import Lease

NOBODY = ""
"""Owner of a lease that was given back."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def acquired(
    found: Lease | None, resource: str, owner: str, now: datetime, expires: datetime
) -> Lease | None:
    """Give the lease that `owner` gets, or None when another holds it.

    Raises
    ------
    ValueError
        When the owner has no name.
    """
    if not owner:
        raise ValueError("A lease needs an owner's name that no other process has")
    if found is None:
        return Lease(resource, owner, 1, expires)
    if found.owner == owner:
        return Lease(resource, owner, found.fencing, expires)
    if found.owner != NOBODY and found.expires > now:
        return None
    return Lease(resource, owner, found.fencing + 1, expires)


def is_held(found: Lease | None, lease: Lease) -> bool:
    """Tell whether a lease is still its owner's."""
    return found is not None and (found.owner, found.fencing) == (lease.owner, lease.fencing)


def released(lease: Lease) -> Lease:
    """Give the row that stays: nobody's, with its fencing number."""
    return Lease(lease.resource, NOBODY, lease.fencing, LONG_AGO)
