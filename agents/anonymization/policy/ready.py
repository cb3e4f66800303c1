"""Policies that come with CHIPS, by name."""

from __future__ import annotations

from agents.anonymization.policy.document import Policy
from streams.errors import Rejected

BASIC = Policy(name="basic", version=2)
DEMO = Policy(name="demo", version=2, options=frozenset(["retain_patient_characteristics"]))
POLICIES = {policy.name: policy for policy in (BASIC, DEMO)}


def policy_named(name: str) -> Policy:
    """Give a ready policy.

    Raises
    ------
    streams.errors.Rejected
        When there is none of that name; lists those that exist.
    """
    try:
        return POLICIES[name]
    except KeyError:
        raise Rejected(f"There is no policy {name!r}; there are {', '.join(sorted(POLICIES))}.") from None
