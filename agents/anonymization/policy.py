"""What a project lets out: the Basic profile and the options put on top of it. Types and decisions, pure."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec

from agents.anonymization.table import load_table
from streams.errors import Rejected

PolicyOption = Literal["patient_characteristics"]
"""Options this release can apply. Clean options are not among them: nothing here understands text, so all
descriptors are removed rather than cleaned."""

REVISION = 2
"""Counts changes of this package that change its output; part of each policy's digest."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A versioned choice of profile and options.

    Attributes
    ----------
    name, version
        What people call it; a new version for every change.
    options
        Options on top of the Basic Application Level Confidentiality Profile (PS3.15, E.3).
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    options: frozenset[PolicyOption] = frozenset()

    @property
    def digest(self) -> str:
        """sha256 over everything that decides what comes out: policy, table, revision of the rules."""
        content = [self.name, self.version, sorted(self.options), load_table().digest, REVISION]
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()

    @property
    def label(self) -> str:
        """Name, version and the start of the digest: for outputs and events; at most 40 characters."""
        return f"{self.name}/{self.version}+{self.digest[:12]}"


class MethodCode(msgspec.Struct, frozen=True):
    """A code of CID 7050 De-identification Method, coding scheme DCM."""

    value: str
    meaning: str


BASIC = Policy(name="basic", version=1)
DEMO = Policy(name="demo", version=1, options=frozenset(["patient_characteristics"]))
POLICIES = {policy.name: policy for policy in (BASIC, DEMO)}

_PROFILE = MethodCode("113100", "Basic Application Confidentiality Profile")
_OPTION_CODES: dict[PolicyOption, MethodCode] = {
    "patient_characteristics": MethodCode("113108", "Retain Patient Characteristics Option"),
}


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


def method_codes(policy: Policy) -> list[MethodCode]:
    """Give the codes of what the policy applies, the profile first."""
    return [_PROFILE, *(_OPTION_CODES[option] for option in sorted(policy.options))]
