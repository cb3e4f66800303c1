"""A data set made anew, element by element, at every depth. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from pydicom.dataset import Dataset
from pydicom.values import convert_SQ

from agents.anonymization.admission import check_overlay
from agents.anonymization.encode import Encoder
from agents.anonymization.known import NAMING, KnownValues
from agents.anonymization.outcome import GroupCounts, Refusal
from agents.anonymization.policy.document import method_codes
from agents.anonymization.policy.rules import (
    PATIENT_ID,
    PATIENT_NAME,
    Action,
    Rules,
    Within,
    items_within,
    known_vr,
)
from agents.anonymization.values import (
    DUMMY,
    MODALITY,
    directs_readers,
    dummy_value,
    is_plausible,
    retained_characteristic,
)
from gateway.elements import PIXEL_DATA, UNDEFINED
from gateway.identity import ProjectKey, pseudonymous_uid
from gateway.modalities import modality_of

_FAMILIES = (
    frozenset(("US", "SS", "UL", "SL", "SV", "UV", "AT", "OW")),
    frozenset(("FL", "FD")),
    frozenset(("OB", "OW", "OF", "OD", "OL", "OV")),
    frozenset(("CS", "DS", "IS", "LO", "SH", "AE", "AS", "DA", "TM", "DT", "LT", "ST", "UT", "UC", "UR"))
    | frozenset(("PN", "UI")),
)
_TRUSTED_TEXT = frozenset(("LO", "SH", "CS"))
_AMBIGUOUS = {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}


_REMOVED = frozenset(
    (
        Action.REMOVE,
        Action.SHIFT,
        Action.CLEAN,
        Action.CONTENT,
        Action.GRAPHICS,
        Action.PRIVATE,
        Action.REPLACE,
    )
)


class _Source(NamedTuple):
    """An element as it was read: `items` when it is a sequence, else its raw `value`."""

    tag: int
    vr: str | None
    value: bytes
    items: list[Dataset] | None
    fragments: bool


class Rewriter:
    """Makes one object's data set anew.

    Parameters
    ----------
    key, rules
        What decides pseudonyms and actions.
    patient
        The patient's pseudonym.
    encoder
        Writes the output.

    Attributes
    ----------
    top
        Values written at the top level, by tag; no sequences.
    known
        What the object itself calls its people, once it is rewritten.
    """

    def __init__(self, *, key: ProjectKey, rules: Rules, patient: str, encoder: Encoder) -> None:
        self._key = key
        self._rules = rules
        self._policy = rules.policy
        self._patient = patient.encode()
        self._encoder = encoder
        self._counts: Counter[tuple[int, str]] = Counter()
        self._uids: dict[bytes, bytes] = {}
        self.known = KnownValues(())
        self.top: dict[int, bytes] = {}

    def rewrite(self, dataset: Dataset) -> bytes:
        """Give the anonymized data set's bytes.

        Raises
        ------
        agents.anonymization.outcome.Refusal
            At anything that can't be judged.
        """
        naming = (_source(dataset, tag).value for tag in NAMING if tag in dataset)
        self.known = KnownValues(naming)
        parts = dict(self._elements(dataset, Within.OBJECT, depth=0))
        self._put(parts, PATIENT_NAME, "PN", self._patient)
        self._put(parts, PATIENT_ID, "LO", self._patient)
        self._put(parts, 0x00120062, "CS", b"YES")
        self._put(parts, 0x00120063, "LO", f"CHIPS {self._policy.label}, PS3.15 2026c".encode())
        parts[0x00120064] = self._encoder.sequence(
            0x00120064,
            [
                self._encoder.element(0x00080100, "SH", code.value.encode())
                + self._encoder.element(0x00080102, "SH", b"DCM")
                + self._encoder.element(0x00080104, "LO", code.meaning.encode())
                for code in method_codes(self._policy)
            ],
        )
        self._put(parts, 0x00280303, "CS", b"REMOVED")
        return b"".join(parts[tag] for tag in sorted(parts))

    def counts(self) -> dict[str, GroupCounts]:
        """Give how many elements of each group were kept, replaced and removed, at every depth."""
        groups = sorted({group for group, _ in self._counts})
        return {
            f"{group:04x}": GroupCounts(
                kept=self._counts[group, "kept"],
                replaced=self._counts[group, "replaced"],
                removed=self._counts[group, "removed"],
            )
            for group in groups
        }

    def _put(self, parts: dict[int, bytes], tag: int, vr: str, value: bytes) -> None:
        parts[tag] = self._encoder.element(tag, vr, value)
        self.top[tag] = value

    def _elements(
        self, dataset: Dataset, within: Within, depth: int, parent: int | None = None
    ) -> Iterator[tuple[int, bytes]]:
        for tag in sorted(int(key) for key in dataset.keys()):  # noqa: SIM118 - iterating converts values
            action = self._rules.decide(tag, parent, within).action
            if action in _REMOVED:
                self._count(tag, "removed")
                if tag >> 24 == 0x60:  # noqa: PLR2004 - overlay groups
                    check_overlay(tag, _source(dataset, tag).value, little=self._encoder.little)
                continue
            source = _source(dataset, tag)
            if source.items is not None and source.vr == "UN" and not self._encoder.little:
                raise Refusal("bad-vr", "A sequence is hidden in a value of another byte order.")
            yield tag, self._element(source, action, within, depth)

    def _element(self, source: _Source, action: Action, within: Within, depth: int) -> bytes:
        if source.items is not None:
            return self._sequence(source, source.items, action, within, depth)
        vr = self._vr(source) if action is Action.KEEP else _plain(known_vr(source.tag))
        value, done = self._value(source, action)
        self._count(source.tag, done)
        if depth == 0 and not source.fragments:
            self.top[source.tag] = value
        return self._encoder.element(source.tag, vr, value, fragments=source.fragments)

    def _sequence(
        self, source: _Source, items: list[Dataset], action: Action, within: Within, depth: int
    ) -> bytes:
        done: Literal["kept", "replaced"] = "kept"
        if action in (Action.EMPTY, Action.DUMMY):
            items = [] if action is Action.EMPTY else items[:1]
            done = "replaced"
        inner = items_within(action, within)
        self._count(source.tag, done)
        encoded = [
            b"".join(part for _, part in self._elements(item, inner, depth + 1, source.tag)) for item in items
        ]
        return self._encoder.sequence(source.tag, encoded)

    def _value(self, source: _Source, action: Action) -> tuple[bytes, Literal["kept", "replaced"]]:
        tag, value = source.tag, source.value
        vr = _plain(known_vr(tag))
        if action is Action.PATIENT:
            return self._patient, "replaced"
        if action is Action.EMPTY or not value:
            return b"", "replaced" if value else "kept"
        if action is Action.UID:
            return b"\\".join(self._uid(part) for part in value.split(b"\\")), "replaced"
        if action is Action.DUMMY:
            return dummy_value(vr), "replaced"
        if not is_plausible(vr, value):
            raise Refusal("bad-value", "A value is not of the kind that its attribute has.")
        kept = self._kept(tag, vr, value)
        return kept, "kept" if kept == value else "replaced"

    def _kept(self, tag: int, vr: str, value: bytes) -> bytes:
        """Give what is kept of a value: all of it, unless it names somebody."""
        if tag == MODALITY:
            text = value.decode("latin-1")
            term = modality_of(text)
            return value if text.strip("\0 ") == term else term.encode()
        kept = retained_characteristic(tag, value) or b""
        if vr not in _TRUSTED_TEXT or not self.known.occur_in(kept):
            return kept
        if vr != "CS":
            return dummy_value(vr)
        if directs_readers(tag):
            raise Refusal("named-code", "A code that readers act on repeats a name of the patient.")
        codes = kept.split(b"\\")
        return b"\\".join(DUMMY if self.known.occur_in(code) else code for code in codes)

    def _vr(self, source: _Source) -> str:
        """Give the VR to write, or refuse one that hides another kind of value."""
        known = str(known_vr(source.tag))
        if source.vr in (None, "UN"):
            return _plain(known)
        candidates = known.split(" or ")
        if source.vr in candidates:
            return str(source.vr)
        if known == "UI" or not any(source.vr in some and candidates[0] in some for some in _FAMILIES):
            raise Refusal("bad-vr", "An element has a value representation that does not fit its attribute.")
        # What reads the output believes the standard: text is text of the kind that belongs there.
        return candidates[0] if candidates[0] in _FAMILIES[-1] else str(source.vr)

    def _uid(self, value: bytes) -> bytes:
        """Pseudonyms repeat a lot inside one multi-frame object, so they are remembered for its length."""
        made = self._uids.get(value)
        if made is None:
            made = pseudonymous_uid(self._key, value.decode("latin-1")).encode()
            self._uids[value] = made
        return made

    def _count(self, tag: int, what: Literal["kept", "replaced", "removed"]) -> None:
        self._counts[tag >> 16, what] += 1


def _plain(known: str | None) -> str:
    return _AMBIGUOUS.get(str(known), str(known))


def _source(dataset: Dataset, tag: int) -> _Source:
    """Take an element out of pydicom's hands without letting it convert the value."""
    # keep_deferred: pydicom takes an empty value for one that it left in the file
    item: Any = dataset.get_item(tag, keep_deferred=True)
    if not item.is_raw:
        return _Source(tag, "SQ", b"", list(item.value), fragments=False)
    known = known_vr(tag)
    vr: str | None = item.VR
    value: bytes = item.value or b""
    if vr == "SQ" or (vr in (None, "UN") and known == "SQ"):
        if tag >> 16 & 1 or known != "SQ":
            raise Refusal("bad-vr", "A sequence stands where the standard knows none.")
        implicit, little = (True, True) if vr == "UN" else (item.is_implicit_VR, item.is_little_endian)
        items = convert_SQ(value, implicit, little) if value else []
        return _Source(tag, vr, b"", list(items), fragments=False)
    if known == "SQ":
        raise Refusal("bad-vr", "A sequence does not have the value representation of one.")
    fragments = item.length == UNDEFINED
    if fragments and tag != PIXEL_DATA:
        raise Refusal("bad-structure", "An element that is no sequence has no declared length.")
    return _Source(tag, vr, value, None, fragments)
