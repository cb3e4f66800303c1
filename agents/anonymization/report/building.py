"""A report's parts, made of counts. Pure."""

from __future__ import annotations

import platform
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import metadata

from pydicom.datadict import dictionary_description, tag_for_keyword

from agents.anonymization.policy.describing import OPTIONS, title
from agents.anonymization.policy.document import Policy
from agents.anonymization.report.comparing import Change
from agents.anonymization.report.types import Attribute, Count, Option, PolicyException, PolicyPart
from agents.anonymization.report.words import DONE, PROFILE
from streams.version import version

_SPACED = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ORDER = {done: number for number, done in enumerate(DONE)}
_USED = ("pydicom", "onnxruntime", "SimpleITK", "cryptography")
"""Packages on whose versions an output can depend."""


def attributes(counts: Mapping[Change, int]) -> list[Attribute]:
    """Give what happened to attributes: by what was done, then why, then by name."""
    ordered = sorted(
        counts.items(), key=lambda item: (_ORDER[item[0].done], item[0].reason, item[0].attribute)
    )
    return [
        Attribute(
            attribute=change.attribute,
            name=name_of(change.attribute),
            done=change.done,
            reason=change.reason,
            objects=objects,
        )
        for change, objects in ordered
    ]


def pixels_changed(counts: Mapping[Change, int]) -> int:
    """Give the number of objects whose pixels are not those of the original."""
    return sum(
        objects
        for change, objects in counts.items()
        if change.attribute in _PIXELS and change.done not in ("kept", "unused")
    )


_PIXELS = frozenset(("PixelData", "FloatPixelData", "DoubleFloatPixelData"))


def tools(counts: Iterable[tuple[tuple[str, ...], int]]) -> list[Count]:
    """Count objects by what decided beside the policy."""
    found: Counter[str] = Counter()
    for names, objects in counts:
        for name in names:
            found[name] += objects
    return [Count(reason=name, words=name, number=found[name]) for name in sorted(found)]


def name_of(attribute: str) -> str:
    """Give an attribute's name in the standard; of private and unknown ones the group."""
    kind, _, group = attribute.partition(" ")
    if group:
        return f"{kind} group {group}"
    tag = tag_for_keyword(attribute)
    return str(dictionary_description(tag)) if tag is not None else _SPACED.sub(" ", attribute)


def policy_part(policy: Policy) -> PolicyPart:
    """Say what a policy is."""
    more = []
    if "retain_longitudinal_modified_dates" in policy.options:
        more.append(
            f"Each patient's dates were moved back by a number of days of their own, 1 to "
            f"{policy.dates.at_most_days}."
        )
    if policy.regions:
        more.append(f"{len(policy.regions)} rules of the policy say where devices draw text into pixels.")
    if policy.safe_private:
        more.append(
            f"{len(policy.safe_private)} private attributes are kept that the policy knows to be safe."
        )
    if policy.quarantine.sop_classes or policy.quarantine.modalities:
        more.append(
            "Kept back whatever they hold: "
            + ", ".join((*policy.quarantine.modalities, *policy.quarantine.sop_classes))
            + "."
        )
    if policy.encrypt_for:
        more.append(
            "The originals of replaced attributes are in the output, encrypted for "
            f"{len(policy.encrypt_for)} certificates."
        )
    return PolicyPart(
        label=policy.label,
        name=policy.name,
        version=policy.version,
        description=policy.description,
        profile=PROFILE,
        options=[
            Option(option=option, title=title(option), on=option in policy.options, says=words.says)
            for option, words in OPTIONS.items()
        ],
        exceptions=[
            PolicyException(attribute=name_of(name), action=override.action, why=override.why)
            for name, override in sorted(policy.attributes.items())
        ],
        more=more,
    )


def software() -> dict[str, str]:
    """Give what made the output, with versions. Asks this environment."""
    found = {"CHIPS": version(), "Python": platform.python_version()}
    for name in _USED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
