"""What workers are asked and answer. Types; all of it is sent through pipes, never on a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from agents.anonymization.files.entries import Entry, Result, Stamp
from agents.anonymization.files.known import Named
from agents.anonymization.files.objects import Found
from agents.anonymization.installed import tools_mark
from agents.anonymization.policy.document import Policy
from agents.anonymization.report.comparing import Change
from gateway.identity import ProjectKey, key_mark


class Place(NamedTuple):
    """What all results of a run have in common.

    Attributes
    ----------
    source
        The folder that paths of inputs are relative to.
    out, quarantine
        Claimed folders; without a `quarantine` originals of quarantined objects are copied nowhere.
    each
        Sync each file before it has its name.
    compared
        Tell what was changed.
    """

    source: Path
    out: Path
    quarantine: Path | None
    key: ProjectKey
    policy: Policy
    each: bool
    compared: bool


class Examine(NamedTuple):
    """Read a file's header."""

    path: str
    stamp: Stamp


class Judge(NamedTuple):
    """Anonymize an object, or compare it with the one of the same instance that came out (`winner`)."""

    found: Found
    winner: str | None


class Staged(NamedTuple):
    """An anonymized object with a face, which is to be taken out: where it waits, what decided about it."""

    found: Found
    partial: str
    tools: tuple[str, ...] = ()


class TakeFaces(NamedTuple):
    """Take the faces out of a series."""

    objects: tuple[Staged, ...]


class Compare(NamedTuple):
    """Tell what was changed in an object that came out in an earlier run."""

    found: Found
    entry: Entry


class Examined(NamedTuple):
    """An object, and what it calls people; or the result of a file that is none."""

    result: Found | Entry
    named: frozenset[Named] = frozenset()


class Judged(NamedTuple):
    """What became of an object.

    Attributes
    ----------
    partial
        Where its output waits to be published once the line is written; None: it is there, or there is none.
    changes
        When they are asked for and it came out.
    """

    found: Found
    entry: Entry
    partial: str | None = None
    changes: frozenset[Change] | None = None


class Stopped(NamedTuple):
    """A folder does not take what is written: nothing can go on."""

    message: str
    full: bool


class Lines:
    """Makes the manifest's lines of one run."""

    def __init__(self, key: ProjectKey, policy: Policy) -> None:
        self.policy = policy.label
        self.key = key_mark(key)
        self.software = tools_mark(policy)

    def entry(self, path: str, stamp: Stamp, result: Result, **fields: Any) -> Entry:
        """Make the line of a file; of one in quarantine a tool can have decided, whichever reason it has."""
        decided = result == "quarantined" or fields.get("tools")
        return Entry(
            input=path,
            bytes=stamp.bytes,
            modified_ns=stamp.modified_ns,
            result=result,
            policy=self.policy,
            key=self.key,
            software=self.software if decided else None,
            **fields,
        )
