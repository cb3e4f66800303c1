"""The words in which a policy's rules speak: actions, decisions, and where an element stands. Types, pure."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Action(enum.Enum):
    """What to do with an element."""

    # Members are compared by identity; the hash that Enum has is computed in Python, each time.
    __hash__ = object.__hash__

    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"
    UID = "uid"
    REFERENCES = "references"
    """Keep a sequence, and in its items nothing but references to other objects."""
    KEEP = "keep"
    """Keep as it is; in a sequence, decide for each element of each item."""
    PATIENT = "patient"
    """Put the patient's pseudonym in its place."""
    SHIFT = "shift"
    """Move a date by the patient's shift; a time of day stays."""
    CLEAN = "clean"
    """Keep text, without what identifies."""
    CONTENT = "content"
    """Keep a content tree, each item judged and its text cleaned."""
    GRAPHICS = "graphics"
    """Keep graphics, without text that identifies."""
    PRIVATE = "private"
    """Keep a private element if its creator and number are on the list of safe ones."""
    REPLACE = "replace"
    """Put the policy's own value in its place."""


class Decision(NamedTuple):
    """What to do, and why: `reason` is for reports and ``chips policy test``, and never holds a value."""

    action: Action
    reason: str
    value: str | None = None
    """With REPLACE."""
    otherwise: Action | None = None
    """For a value to which that can't be done: what holds without option or exception. None: nothing does."""


class Within(enum.Enum):
    """Where an element stands, as far as its decision depends on that."""

    __hash__ = object.__hash__

    OBJECT = "object"
    DUMMIES = "dummies"
    """Somewhere inside a sequence that gets dummy values: nothing is kept."""
    REFERENCES = "references"
    """In an item of a sequence of which only references are kept."""


def items_within(action: Action, within: Within) -> Within:
    """Give where the items of a sequence stand to which `action` is done, itself standing `within`."""
    if within is Within.DUMMIES or action is Action.DUMMY:
        return Within.DUMMIES
    return Within.REFERENCES if action is Action.REFERENCES else Within.OBJECT
