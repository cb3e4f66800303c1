"""The three families of failure; every package's errors belong to one of them.

Who catches what: `Rejected` is told to the caller, `Poison` is dead-lettered, `Unavailable` is tried again
and then stops the process, so that a database's outage fills no dead-letter topic.
"""

from __future__ import annotations


class Rejected(Exception):  # noqa: N818 - a family name; members end in their own nouns
    """The caller's fault, told to them; the message says what to do instead."""


class Poison(Exception):  # noqa: N818 - see Rejected
    """A message that can never work, however often it is tried."""


class Unavailable(Exception):  # noqa: N818 - see Rejected
    """Something we depend on is away; try later."""


class Conflict(Unavailable):
    """Another writer appended first: load again and decide anew.

    Attributes
    ----------
    stream
        The stream id.
    expected, actual
        Versions: what the writer had read, and what the stream has.
    """

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream} is at version {actual}, not {expected}: load it again and decide anew")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class NoSpace(Unavailable):
    """The disk is full; what was being written is gone, and it works again when there is room."""


class Misconfigured(Rejected):
    """A setting is wrong, or can't be followed on this machine: starting again changes nothing."""


class NewerFormat(Misconfigured):
    """Data written by a newer CHIPS; an older one must not touch it."""


class Damaged(Rejected):
    """Stored bytes do not read back, or do not belong together: an operator must restore them."""


class Refused(Rejected):
    """The bus refused a message (no such topic, too large, not allowed).

    Whatever the message was made from is not done: a consumer that meets this must not acknowledge.
    """
