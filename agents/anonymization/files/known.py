"""What the objects of a study call people and things, so that each of them is searched for all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.decision import Action
from agents.anonymization.policy.rules import Rules
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.naming import CHARACTER_SET, Naming, naming_in
from gateway.identity import ProjectKey, key_mark
from gateway.part10 import Bounds, Buffer, Malformed, encoding_of, inflate, read_meta

VALUES_AT_MOST = 4096
"""Of one object. One that has more is refused when its turn comes."""
_BYTES_AT_MOST = 1024
"""Of a value; one that is longer is a text, and names nobody as such."""
_BOUNDS = Bounds()


class Named(NamedTuple):
    """A value that names somebody, in the character set that it is written in; an identity.

    Attributes
    ----------
    parent
        The sequence in whose items it stands, None at the top.
    """

    charset: bytes
    parent: int | None
    tag: int
    value: bytes


def named_in(data: Buffer, rules: Rules) -> set[Named]:
    """Give what an object calls people, but for what the policy keeps where it stands.

    Of an object that can't be read to its end, what comes before that: it is refused when its turn comes.

    Raises
    ------
    gateway.part10.Malformed
        When it is no DICOM file.
    """
    meta = read_meta(data)
    encoding, start = encoding_of(meta.text(0x00020010)), meta.dataset
    if encoding.deflated:
        data, start = inflate(data, start, _BOUNDS), 0
    charset = b""
    found: set[Named] = set()
    try:
        for parent, tag, value in naming_in(data, start, encoding, _BOUNDS):
            if tag == CHARACTER_SET:
                charset = value.rstrip(b"\0 ") if parent is None else charset
            elif len(found) < VALUES_AT_MOST and _names(value) and not _kept(rules, tag, parent):
                found.add(Named(charset, parent, tag, value))
    except Malformed:
        return found
    return found


def _names(value: bytes) -> bool:
    return bool(value.strip(b"\0 ")) and len(value) <= _BYTES_AT_MOST


def _kept(rules: Rules, tag: int, parent: int | None) -> bool:
    return rules.decide(tag, parent).action is Action.KEEP


def known_of(named: Iterable[Named]) -> KnownValues | None:
    """Give what is known of a study; None when that is more than can be searched for."""
    known = KnownValues()
    by_charset = groupby(sorted(named, key=_order), lambda one: one.charset)
    try:
        for charset, some in by_charset:
            known = KnownValues.of_elements(_with(charset, some)).union(known)
    except Refusal:
        return None
    return known


def mark_of(key: ProjectKey, named: Iterable[Named]) -> str:
    """Give what changes when more becomes known of a study, and says nothing else."""
    lines = (b"%s\0%08x\0%08x\0%s" % (one.charset, one.parent or 0, one.tag, one.value) for one in named)
    return key_mark(key, *sorted(lines))


def _with(charset: bytes, named: Iterable[Named]) -> Iterator[Naming]:
    yield Naming(None, CHARACTER_SET, charset)
    for one in named:
        yield Naming(one.parent, one.tag, one.value)


def _order(one: Named) -> tuple[bytes, int, int, bytes]:
    return one.charset, one.parent or 0, one.tag, one.value
