"""What was announced of a series against what arrived. Pure.

An expectation speaks for exactly what it names. Less is a shortfall; more, and it says nothing of the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from schemas.facts import AnnouncedSeries
from schemas.pacs import Authority


class Expectation(NamedTuple):
    """What all announcements come to."""

    expected: int | None = None
    by: Authority | None = None
    met: bool = False
    missing: int = 0
    surplus: int = 0


def expectation_of(announced: Iterable[AnnouncedSeries], received: Collection[str]) -> Expectation:
    """Compare what is announced with the instances that arrived.

    Lists add up, for a sender may commit to its images in portions, and one of several parts counts when all
    are there. Of counts the last that was told holds.
    """
    told = sorted(announced, key=lambda one: (one.told, one.instances, one.announcement, one.part))
    if not told:
        return Expectation()
    arrived = set(received)
    lists: dict[str, set[str]] = {}
    totals: dict[str, int] = {}
    count = None
    for one in told:
        if one.listed:
            lists.setdefault(one.announcement, set()).update(one.listed)
            totals[one.announcement] = one.instances
        else:
            count = one.instances
    listed: set[str] = set().union(*lists.values())
    untold = sum(max(0, totals[name] - len(keys)) for name, keys in lists.items())
    expected = max(count or 0, len(listed) + untold)
    missing = max(len(listed - arrived) + untold, (count or 0) - len(arrived))
    by_list = bool(listed) and not untold and listed == arrived
    return Expectation(
        expected=expected,
        by=told[-1].by,
        met=missing == 0 and (by_list or count == len(arrived)),
        missing=missing,
        surplus=max(0, len(arrived) - expected),
    )
