"""Policies that come with CHIPS, by name; their documents lie beside this, with the reasons in comments."""

from __future__ import annotations

import functools
from importlib import resources

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.problems import nearest
from agents.anonymization.policy.reading import read
from streams.errors import Rejected

NAMES = ("basic", "demo", "research", "strict", "teaching")


def document_named(name: str) -> bytes:
    """Give a ready policy's document as it was written, comments included.

    Raises
    ------
    streams.errors.Rejected
        When there is none of that name; lists those that exist.
    """
    if name not in NAMES:
        raise Rejected(f"There is no policy {name}{nearest(name, NAMES)} There are {', '.join(NAMES)}.")
    return resources.files(__name__).joinpath(f"{name}.yaml").read_bytes()


@functools.cache
def policy_named(name: str) -> Policy:
    """Give a ready policy.

    Raises
    ------
    streams.errors.Rejected
        When there is none of that name; lists those that exist.
    """
    return read(document_named(name))


BASIC = policy_named("basic")
DEMO = policy_named("demo")
POLICIES = {name: policy_named(name) for name in NAMES}
