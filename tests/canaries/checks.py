"""What a test asks of an object that was anonymized: is anything left that the table does not let survive?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from pydicom.datadict import dictionary_has_tag

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Policy
from gateway.identity import ProjectKey
from tests.canaries.finding import Leak, decoded, finder, still_there
from tests.canaries.oracle import Fate, fate
from tests.canaries.planting import Canary

KEY = ProjectKey(project="default", secret=bytes(range(32)))

RETAIN = (
    *("retain_uids", "retain_device_identity", "retain_institution_identity"),
    *("retain_patient_characteristics", "retain_longitudinal_full_dates"),
)
"""Options that keep values as they are."""


def policy_with(*options: str, name: str = "leaks") -> Policy:
    """Give the Basic profile with options."""
    return Policy(name=name, version=1, options=frozenset(options))


class Verdict(NamedTuple):
    """What came of an object: the reason that it stayed in for, or what of it leaks, what of it is lost."""

    reason: str
    leaks: list[Leak]
    lost: list[str]


NOTHING = Verdict("", [], [])
"""It came out, without a leak or a loss."""


def anonymized(source: bytes, *options: str, key: ProjectKey = KEY) -> Anonymized:
    """Anonymize what has to come out."""
    result = anonymize(source, key=key, policy=policy_with(*options))
    assert isinstance(result, Anonymized), result
    return result


def told(result: Anonymized | Quarantine) -> bytes:
    """Give what a result says besides the object: for facts, cards, manifests and logs."""
    fields = {name: getattr(result, name) for name in result.__struct_fields__ if name != "content"}
    return msgspec.json.encode(fields) + repr(result).encode()


def judged(source: bytes, canaries: Iterable[Canary], policy: Policy, key: ProjectKey = KEY) -> Verdict:
    """Anonymize, and look for every canary that has to go, and for each that has to stay."""
    result = anonymize(source, key=key, policy=policy)
    canaries = list(canaries)
    if isinstance(result, Quarantine):
        return Verdict(result.reason, finder(canaries).find(told(result)), [])
    assert isinstance(result, Anonymized)
    by_fate: dict[Fate, list[Canary]] = {kind: [] for kind in Fate}
    for canary in canaries:
        by_fate[fate(policy.options, canary.where, canary.tag, canary.vr)].append(canary)
    search = finder(by_fate[Fate.GONE])
    leaks = [*search.find(result.content), *search.find(told(result))]
    out = decoded(result.content)
    leaks += [Leak(label, "its own place") for label in still_there(out, by_fate[Fate.GONE])]
    # What pydicom does not know it can't find in an object without value representations
    seen = [one for one in by_fate[Fate.KEPT] if all(map(dictionary_has_tag, (*one.where, one.tag)))]
    kept = set(still_there(out, seen))
    return Verdict("", leaks, [canary.label for canary in seen if canary.label not in kept])
