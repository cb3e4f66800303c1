"""What a decision makes of a value, in bytes of the object's own encoding. Pure.

Both ways through this package, the careful and the fast one, ask here, so that they give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from agents.anonymization.dates import moved
from agents.anonymization.kinds import (
    CHARACTER_SET,
    DUMMY,
    MODALITY,
    SIZES,
    directs_readers,
    dummy_value,
    is_plausible,
    retained_characteristic,
)
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.rules import ENCAPSULATED_DOCUMENT, TEXTS, Action, Decision, Rules
from agents.anonymization.surplus.letters import letters
from agents.anonymization.text.patterns import names_object
from gateway.elements import PIXEL_DATA
from gateway.identity import ProjectKey, pseudonymous_uid
from gateway.modalities import modality_of

_LONG_TEXTS = frozenset(("LT", "ST", "UT", "UC"))
WORDED = frozenset(("LO", "SH", "CS", "LT", "ST", "UT", "UC", "PN", "AE", "UR"))
"""Representations in which somebody can be named."""
_WHOLE = 64 * 1024
"""Bytes of a value that are looked through as a whole; longer ones are no text, but images and curves."""


_LETTERS = 1 << 18
"""Bytes that look like words in a profile, a table or a curve."""
_MOST_UIDS = 65_536
"""UIDs of one value."""
_WHOLE_NUMBERS = re.compile(rb"(?:^|\\)[ +-]*([0-9]{5,})(?:\.0*)? *(?=\\|$|\0)")
"""Shorter numbers are counts and sizes, and fractions are measured."""
_WORD = re.compile(rb"[\0 ]*[0-9A-Za-z^ ]{4,}[\0 ]*")
"""A number can be one, but none that is measured is."""
_BYTES = frozenset(("OB", "UN"))
_SHORT = frozenset(("AE", "AS", "CS", "DS", "IS"))
"""Representations of which a value that is cleaned is whole or goes."""
_FROM_NOTHING = frozenset((Action.PATIENT, Action.REPLACE, Action.REMOVE))
"""What is done to an empty value, too; others stay empty."""

_Way = Callable[[Decision, int, str, bytes], bytes | None]


class Known(Protocol):
    """What the object, and its study, call people and things."""

    def occur_in(self, value: bytes) -> bool:
        """Tell whether any of it stands in a value."""


class Cleaner(Protocol):
    """Takes out of a text what identifies."""

    def clean(self, text: bytes, vr: str) -> bytes | None:
        """Give what is left; None: nothing sensible."""


class Values:
    """Makes the values of one object.

    Parameters
    ----------
    key
        Of the pseudonyms.
    rules
        Of the object's class.
    patient
        The patient's pseudonym.
    known
        What must not stand in anything that is kept.
    cleaner
        Cleans texts.
    shift_days
        Days that dates move back.
    charset
        Value of the object's Specific Character Set.
    uid
        Gives the pseudonym of a UID, when somebody remembers those of more than one object.
    document
        Cleans an encapsulated document; None: nobody can.
    """

    def __init__(
        self,
        *,
        key: ProjectKey,
        rules: Rules,
        patient: str,
        known: Known,
        cleaner: Cleaner,
        shift_days: int,
        charset: bytes = b"",
        uid: Callable[[bytes], bytes] | None = None,
        document: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._key = key
        self._patient = (rules.policy.pseudonyms.prefix + patient).encode()
        self._known = known
        self._cleaner = cleaner
        self._uids_stay = "retain_uids" in rules.policy.options
        self._days = shift_days
        self._charset = charset.rstrip(b"\0 ")
        self._uids: dict[bytes, bytes] = {}
        self._uid = uid or self._pseudonym
        self._document = document
        self._ways: dict[Action, _Way] = {
            Action.KEEP: self._kept,
            Action.UID: self._pseudonyms,
            Action.SHIFT: self._moved,
            Action.CLEAN: self._clean,
            Action.REPLACE: self._replaced,
            Action.PATIENT: lambda *_: self._patient,
            Action.EMPTY: lambda *_: b"",
            Action.DUMMY: lambda _decision, _tag, vr, _value: dummy_value(vr),
        }

    def make(self, decision: Decision, tag: int, vr: str, value: bytes) -> bytes | None:
        """Give what stands in a value's place; None: the element goes.

        Parameters
        ----------
        decision
            What to do.
        tag, vr
            Of the attribute, as it will be written.
        value
            As it was read.

        Raises
        ------
        agents.anonymization.outcome.Refusal
            When it can't be done and the decision knows nothing else.
        """
        if not value and decision.action not in _FROM_NOTHING:
            return value
        way = self._ways.get(decision.action)
        made = way(decision, tag, vr, value) if way else None
        if made is None and decision.otherwise is not None:
            return self.make(Decision(decision.otherwise, decision.reason), tag, vr, value)
        return made

    def _moved(self, _decision: Decision, _tag: int, vr: str, value: bytes) -> bytes | None:
        return moved(vr, value, self._days)

    def _pseudonyms(self, _decision: Decision, _tag: int, vr: str, value: bytes) -> bytes | None:
        if vr != "UI":
            return None
        parts = value.split(b"\\")
        if len(parts) > _MOST_UIDS:
            raise Refusal("too-many-elements", "A value has more UIDs than an object needs.")
        return b"\\".join(map(self._uid, parts))

    def _replaced(self, decision: Decision, tag: int, vr: str, _value: bytes) -> bytes | None:
        replacement = (decision.value or "").encode("ascii", "replace")
        fits = vr not in SIZES and vr not in _BYTES and is_plausible(vr, replacement, tag)
        return replacement if fits else None

    def _clean(self, _decision: Decision, tag: int, vr: str, value: bytes) -> bytes | None:
        if vr in TEXTS:
            return self._cleaned(vr, value)
        if tag == ENCAPSULATED_DOCUMENT and self._document is not None:
            return self._document(value)
        if vr not in _SHORT or not is_plausible(vr, value, tag) or self._known.occur_in(value):
            return None
        return value

    def _cleaned(self, vr: str, value: bytes) -> bytes | None:
        cleaned = self._cleaner.clean(value, vr)
        return None if cleaned is None or self._known.occur_in(cleaned) else cleaned

    def _kept(self, decision: Decision, tag: int, vr: str, value: bytes) -> bytes | None:
        """Give what is kept of a value: all of it, unless it is of another kind or names somebody."""
        if tag == CHARACTER_SET and value.rstrip(b"\0 ") != self._charset:
            raise Refusal("mixed-charset", "Parts of the object are written in another character set.")
        if tag == MODALITY:
            text = value.decode("latin-1")
            term = modality_of(text)
            return value if text.strip("\0 ") == term else term.encode()
        kept = retained_characteristic(tag, value)
        if kept is None or not is_plausible(vr, kept, tag):
            if decision.otherwise is None:
                raise Refusal("bad-value", "A value is not of the kind that its attribute has.")
            return None
        if vr in WORDED:
            return self._unnamed(decision, tag, vr, kept) if self._names(kept) else kept
        if vr in SIZES or vr in _BYTES:
            return self._without_names(decision, tag, vr, kept)
        if vr in ("DS", "IS") and self._is_known_number(kept):
            return None if decision.otherwise else b""
        return kept

    def _names(self, value: bytes) -> bool:
        """Tell whether a text names somebody, or an object that has another name now; too long a one does."""
        if len(value) > _WHOLE:
            return True
        if b"." in value and not self._uids_stay and names_object(value.decode("latin-1")):
            return True
        return self._known.occur_in(value)

    def _is_known_number(self, value: bytes) -> bool:
        """Tell whether a whole number is an id, or a date, that the object is known by."""
        return any(self._known.occur_in(found[1]) for found in _WHOLE_NUMBERS.finditer(value))

    def _unnamed(self, decision: Decision, tag: int, vr: str, value: bytes) -> bytes | None:
        """Give what is left of a value that names somebody."""
        if vr == "CS" and directs_readers(tag):
            raise Refusal("named-code", "A code that readers act on repeats a name of the patient.")
        if vr == "CS" and len(value) <= _WHOLE:
            codes = value.split(b"\\")
            return b"\\".join(DUMMY if self._names(code) else code for code in codes)
        made = self._cleaned(vr, value) if vr in _LONG_TEXTS else None
        return dummy_value(vr) if made is None and decision.otherwise is None else made

    def _without_names(self, decision: Decision, tag: int, vr: str, value: bytes) -> bytes | None:
        """Give a value that is no text, if no text hides in it."""
        is_number = len(value) <= SIZES.get(vr, 0) and not _WORD.fullmatch(value)
        if tag == PIXEL_DATA or is_number:
            return value
        # UTF-16 is no character set of DICOM's, and yet what applications write into bytes.
        seen = {value, value.replace(b"\0", b""), *(_swapped(value, size) for size in {2, SIZES.get(vr, 2)})}
        if not any(map(self._occur_in_bytes, seen)):
            return value
        return dummy_value(vr) if decision.otherwise is None else None

    def _occur_in_bytes(self, value: bytes) -> bool:
        """Tell whether any of it stands in bytes; of many, in what looks like words or numbers in them."""
        if len(value) <= _WHOLE:
            return self._known.occur_in(value)
        words = letters(value, _LETTERS)
        return words is None or self._known.occur_in(words)

    def _pseudonym(self, value: bytes) -> bytes:
        """Pseudonyms repeat a lot inside one multi-frame object, so they are remembered for its length."""
        made = self._uids.get(value)
        if made is None:
            made = pseudonymous_uid(self._key, value.decode("latin-1")).encode()
            self._uids[value] = made
        return made


def _swapped(value: bytes, size: int) -> bytes:
    """Give a value with the bytes of each number, of so many bytes, in the other order."""
    made = bytearray(value[: len(value) - len(value) % size])
    for at in range(size // 2):
        made[at::size], made[size - 1 - at :: size] = made[size - 1 - at :: size], made[at::size]
    return bytes(made)
