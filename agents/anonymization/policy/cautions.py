"""What is odd about a policy that can be followed: as ``chips policy check`` tells it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.problems import Problem
from agents.anonymization.policy.ready import POLICIES
from agents.anonymization.policy.rules import Rules, tag_of


def cautions(policy: Policy) -> Iterator[Problem]:
    """Yield what its author may not have meant."""
    ready = POLICIES.get(policy.name)
    if ready is not None and ready.digest != policy.digest:
        yield Problem(
            ("name",),
            f"{policy.name} is a ready policy's name, and this is another one: give yours a name of its own.",
        )
    if not policy.description:
        yield Problem(("description",), "it is missing: say what the policy is for.")
    without = Rules(msgspec.structs.replace(policy, attributes={}), "")
    followed = Rules(policy, "")
    for name in policy.attributes:
        tag = tag_of(name)
        if without.decide(tag).action is followed.decide(tag).action:
            yield Problem(
                ("attributes", name), "it changes nothing, as profile and options say the same: leave it out."
            )
