"""Two ways through the core, side by side."""

from __future__ import annotations

import functools

import msgspec

from agents.anonymization.careful import Task, anonymize_carefully
from agents.anonymization.fast.engine import FastPath
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy import ready
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.tools import NO_TOOLS
from gateway.identity import ProjectKey
from gateway.part10 import Malformed

KEY = ProjectKey(project="default", secret=bytes(range(32)))
POLICIES = {
    **{name: ready.policy_named(name) for name in ("basic", "demo", "research", "strict")},
    **{
        policy.name: policy
        for policy in (
            Policy(
                name="private",
                version=1,
                options=ready.policy_named("research").options,
                safe_private={"BENCH MAKER:0019,xx02": "a number", "BENCH MAKER:0021,xx02": "a number"},
            ),
            Policy(
                name="full",
                version=1,
                options=frozenset(
                    (
                        *("retain_longitudinal_full_dates", "retain_uids", "retain_institution_identity"),
                        *("clean_recognizable_visual_features", "clean_graphics"),
                    )
                ),
            ),
            Policy(
                name="own",
                version=1,
                attributes={
                    "PatientID": Override(action="keep"),
                    "SeriesDescription": Override(action="replace", value="A SERIES"),
                    "StudyDate": Override(action="shift"),
                    "SliceThickness": Override(action="dummy"),
                    "FrameOfReferenceUID": Override(action="keep"),
                    "Manufacturer": Override(action="clean"),
                    "AnatomicRegionSequence": Override(action="empty"),
                },
            ),
        )
    },
}
"""The ready ones, and those that ask for what none of them does."""


def carefully(content, policy, study=None):
    """The careful way's outcome; None when it refuses, whatever it says."""
    try:
        return anonymize_carefully(content, Task(KEY, policy, study, NO_TOOLS))
    except (Refusal, Malformed):
        return None
    except Exception:  # noqa: BLE001 - as `anonymize` does
        return None


def plain(outcome):
    """An outcome to compare: all of it, with its bytes in memory and counts in order."""
    if outcome is None:
        return None
    fields = msgspec.structs.asdict(outcome)
    fields["output"] = outcome.content
    return fields | {"counts": list(outcome.counts.items()), "reasons": list(outcome.reasons.items())}


@functools.cache
def fast_path(name):
    """One for all tests, so that it remembers what a running service would."""
    return FastPath(KEY, POLICIES[name])
