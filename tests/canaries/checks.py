"""What a test asks of an object that was anonymized: is anything left that the table does not let survive?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from pydicom.datadict import dictionary_has_tag, tag_for_keyword
from pydicom.dataset import Dataset

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Policy
from agents.anonymization.tools import NO_TOOLS, Tools
from gateway.identity import ProjectKey
from tests.canaries.all_traps import TRAPS
from tests.canaries.finding import Leak, decoded, finder, still_there
from tests.canaries.oracle import Allowed, Fate
from tests.canaries.planting import Canary

STUDY_DATE = 0x00080020
KEY = ProjectKey(project="default", secret=bytes(range(32)))

RETAIN = (
    *("retain_uids", "retain_device_identity", "retain_institution_identity"),
    *("retain_patient_characteristics", "retain_longitudinal_full_dates"),
)
"""Options that keep values as they are."""
CLEAN = "clean_pixel_data", "clean_graphics", "clean_structured_content", "clean_descriptors"
DATES = "retain_longitudinal_modified_dates"
RESEARCH = (*CLEAN, DATES, "retain_patient_characteristics", "retain_device_identity")
EVERYTHING = (*CLEAN, *RETAIN, "retain_safe_private")
"""All options that go together, but for faces."""


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
    fields = {name: getattr(result, name) for name in result.__struct_fields__ if name != "output"}
    return msgspec.json.encode(fields) + repr(result).encode()


def judged(source: bytes, canaries: Iterable[Canary], policy: Policy, tools: Tools = NO_TOOLS) -> Verdict:
    """Anonymize, and look for every canary that has to go, and for each that has to stay."""
    result = anonymize(source, key=KEY, policy=policy, tools=tools)
    canaries = list(canaries)
    if isinstance(result, Quarantine):
        return Verdict(result.reason, finder(canaries).find(told(result)), [])
    assert isinstance(result, Anonymized)
    out = decoded(result.content)
    exceptions = {tag_for_keyword(name): made.action for name, made in policy.attributes.items()}
    allowed = Allowed(policy.options, exceptions)
    by_fate: dict[Fate, list[Canary]] = {kind: [] for kind in Fate}
    for canary in canaries:
        by_fate[allowed.fate(canary.where, canary.tag, canary.vr)].append(canary)
    search = finder(_to_find(by_fate[Fate.GONE], by_fate[Fate.MOVED], out))
    leaks = [*search.find(result.content), *search.find(told(result))]
    unmoved = [*by_fate[Fate.GONE], *by_fate[Fate.MOVED]]
    leaks += [Leak(label, "its own place") for label in still_there(out, unmoved)]
    # What pydicom does not know it can't find in an object without value representations
    seen = [one for one in by_fate[Fate.KEPT] if all(map(dictionary_has_tag, (*one.where, one.tag)))]
    kept = set(still_there(out, seen))
    return Verdict("", leaks, [canary.label for canary in seen if canary.label not in kept])


def _to_find(gone: list[Canary], moved: list[Canary], out: Dataset) -> list[Canary]:
    """Give what must not be found, without the days on which another one came to lie."""
    study = next((canary for canary in moved if not canary.where and canary.tag == STUDY_DATE), None)
    if study is None:
        return gone
    (before,), after = study.days(), datetime.strptime(out.StudyDate, "%Y%m%d").replace(tzinfo=UTC).date()
    assert timedelta(days=1) <= before - after <= timedelta(days=365)
    days = [canary._replace(vr="DA", value=str(canary.value)[:8]) for canary in moved]
    taken = {day - (before - after) for canary in days for day in canary.days()}
    return [canary for canary in (*gone, *days) if canary.days().isdisjoint(taken)]


def nothing_gets_through(name: str, *options: str) -> None:
    """See that a trap comes out clean or stays in, and that what is told of it says nothing."""
    trap = TRAPS[name]()
    result = anonymize(trap.content, key=KEY, policy=policy_with(*options))
    assert trap.finder(options).find(told(result)) == []
    assert isinstance(result, Quarantine) or trap.left(result.content, options) == []
