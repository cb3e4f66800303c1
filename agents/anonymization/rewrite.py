"""A data set made anew, element by element, at every depth. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pydicom.dataset import Dataset

from agents.anonymization.admission import check_overlay
from agents.anonymization.encode import Encoder
from agents.anonymization.graphics import NO_OVERLAYS, Overlays
from agents.anonymization.kinds import SIZES
from agents.anonymization.outcome import Refusal, Tally
from agents.anonymization.policy.private import SafePrivate, creator_of, is_creator
from agents.anonymization.policy.rules import (
    PATIENT_ID,
    PATIENT_NAME,
    Action,
    Decision,
    Rules,
    Within,
    items_within,
    known_vr,
)
from agents.anonymization.source import Source, plain_vr, raw, tags_of, take, vr_of, written_vr
from agents.anonymization.text.content import ITEM_SEQUENCES, decisions_about
from agents.anonymization.values import Values

_OVERLAYS = 0x60
INTO = frozenset((Action.KEEP, Action.REFERENCES, Action.CLEAN, Action.CONTENT, Action.GRAPHICS))
"""What may be done to a sequence so that its items stay, each element of them decided about."""
_GONE = Decision(Action.REMOVE, "private")


class Rewriter:
    """Makes one object's data set anew.

    Parameters
    ----------
    rules, values
        What decides, and what makes values.
    encoder
        Writes the output.
    overlays
        Which overlays stay.

    Attributes
    ----------
    top
        Values written at the top level, by tag; no sequences.
    changed
        Top-level elements that are not what they were, or went.
    tally
        What happened, counted.
    """

    def __init__(
        self, *, rules: Rules, values: Values, encoder: Encoder, overlays: Overlays = NO_OVERLAYS
    ) -> None:
        self._rules = rules
        self._private = SafePrivate(rules.policy)
        self._values = values
        self._encoder = encoder
        self._overlays = overlays
        self.tally = Tally()
        self.top: dict[int, bytes] = {}
        self.changed: set[int] = set()

    def rewrite(self, dataset: Dataset) -> dict[int, bytes]:
        """Give the anonymized data set's elements by tag.

        Raises
        ------
        agents.anonymization.outcome.Refusal, gateway.part10.Malformed
            At anything that can't be judged.
        """
        parts = self._elements(dataset, Within.OBJECT, depth=0)
        for tag, vr in ((PATIENT_NAME, "PN"), (PATIENT_ID, "LO")):
            if tag not in parts:
                self.top[tag] = self._values.make(self._rules.decide(tag), tag, vr, b"") or b""
                parts[tag] = self._encoder.element(tag, vr, self.top[tag])
        return parts

    def _elements(
        self, dataset: Dataset, within: Within, depth: int, parent: int | None = None
    ) -> dict[int, bytes]:
        tags = tags_of(dataset)
        creators = {tag: raw(dataset, tag) for tag in tags if is_creator(tag)}
        about = decisions_about(dataset, self._rules.policy.options) if parent in ITEM_SEQUENCES else {}
        waiting: list[int] = []
        parts: dict[int, bytes] = {}
        for tag in tags:
            decision, known = self._decide(dataset, tag, parent, within, creators)
            if decision.action is not Action.REMOVE:
                decision = about.get(tag, decision)
            if decision.action is Action.PRIVATE:
                waiting.append(tag)
                continue
            made = None
            if decision.action is not Action.REMOVE:
                made = self._element(take(dataset, tag, known), known, decision, within, depth)
            else:
                self._removed(dataset, tag, decision)
            if made is not None:
                parts[tag] = made
            elif depth == 0:
                self.changed.add(tag)
        wanted = {creator_of(tag) for tag in parts if tag >> 16 & 1}
        for tag in waiting:
            kept = tag in wanted
            self.tally.add(tag, "private", "kept" if kept else "removed")
            if kept:
                parts[tag] = self._encoder.element(tag, "LO", creators[tag].rstrip(b" \0"))
            elif depth == 0:
                self.changed.add(tag)
        return parts

    def _decide(
        self, dataset: Dataset, tag: int, parent: int | None, within: Within, creators: Mapping[int, bytes]
    ) -> tuple[Decision, str | None]:
        """Decide about an element, and give the VR that it has by the standard or a list."""
        decision = self._rules.decide(tag, parent, within)
        if decision.action is Action.PRIVATE and tag not in creators:
            written = vr_of(dataset, tag)
            safe = self._private.decide(creators.get(creator_of(tag), b""), tag, written)
            if safe is None or (written == "UN" and safe.vr in SIZES and not self._encoder.little):
                return _GONE, None
            return safe.decision, safe.vr
        if decision.action is Action.GRAPHICS and tag >> 24 == _OVERLAYS:
            return self._overlays.decide(tag) if parent is None else _GONE, known_vr(tag)
        return decision, known_vr(tag)

    def _removed(self, dataset: Dataset, tag: int, decision: Decision) -> None:
        self.tally.add(tag, decision.reason, "removed")
        if tag >> 24 == _OVERLAYS:
            check_overlay(tag, raw(dataset, tag), little=self._encoder.little)

    def _element(
        self, source: Source, known: str | None, decision: Decision, within: Within, depth: int
    ) -> bytes | None:
        tag = source.tag
        if source.items is not None:
            return self._sequence(source, source.items, decision, within, depth)
        if source.vr == "UN" and plain_vr(known) in SIZES and not self._encoder.little:
            raise Refusal("bad-vr", "A number is hidden in a value of another byte order.")
        if decision.action is Action.KEEP and not tag >> 16 & 1:
            vr = written_vr(source, str(known))
        else:
            vr = plain_vr(known)
        value = self._values.make(decision, tag, vr, source.value)
        self.tally.count(tag, decision.reason, source.value, value)
        if depth == 0 and value != source.value:
            self.changed.add(tag)
        if value is None:
            return None
        if depth == 0 and not source.fragments:
            self.top[tag] = value
        return self._encoder.element(tag, vr, value, fragments=source.fragments)

    def _sequence(
        self, source: Source, items: list[Dataset], decision: Decision, within: Within, depth: int
    ) -> bytes | None:
        if source.vr == "UN" and not self._encoder.little:
            raise Refusal("bad-vr", "A sequence is hidden in a value of another byte order.")
        action = done_to_sequence(decision)
        if depth == 0:
            self.changed.add(source.tag)
        if action is Action.REMOVE:
            self.tally.add(source.tag, decision.reason, "removed")
            return None
        if action is Action.EMPTY:
            items = []
        elif action is Action.DUMMY:
            items = items[:1]
        self.tally.add(source.tag, decision.reason, "kept" if action in INTO else "replaced")
        inner = items_within(action, within)
        encoded = [self._item(item, inner, depth + 1, source.tag) for item in items]
        return self._encoder.sequence(source.tag, encoded)

    def _item(self, item: Dataset, within: Within, depth: int, parent: int) -> bytes:
        parts = self._elements(item, within, depth, parent)
        return b"".join(parts[tag] for tag in sorted(parts))


def done_to_sequence(decision: Decision) -> Action:
    """Give what is done to a sequence: it is removed, emptied, made one of dummies, or one of `INTO`."""
    action = decision.action
    if action not in INTO and action not in (Action.EMPTY, Action.DUMMY):
        action = decision.otherwise or Action.REMOVE
    return action if action in INTO or action in (Action.REMOVE, Action.EMPTY) else Action.DUMMY
