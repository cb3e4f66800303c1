"""A policy tried on an object: what comes of it, told attribute by attribute, with the reasons.

What is told is read from the anonymized object, and compared with the original; the policy's rules give the
reasons alone. So it holds whatever path the object took. Holds the original's values: for the person at whose
hand the file lies, and not for logs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from pydicom.dataset import Dataset

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Quarantine
from agents.anonymization.policy.describing import ACTIONS, because, title
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import (
    Action,
    Decision,
    RuleBook,
    Rules,
    Within,
    items_within,
    known_vr,
)
from agents.anonymization.showing import Element, charset_of, element, opened, shown, tags_of, written
from agents.anonymization.standard.codes import PolicyOption
from agents.anonymization.tools import NO_TOOLS, Tools
from gateway.identity import ProjectKey

Done = Literal["kept", "replaced", "emptied", "removed", "added"]

_VALUE_TYPE = 0x0040A040
_SAYS = "Says what was done to the object"
_WRITTEN = frozenset((0x00120062, 0x00120063, 0x00120064, 0x00280303))
_TAKING_AWAY = frozenset((Action.REMOVE, Action.EMPTY))
_WOULD_CLEAN: Mapping[str, PolicyOption] = {
    **dict.fromkeys(
        ("ultrasound", "secondary-capture", "photograph", "burned-in-annotation", "burned-in-unknown"),
        "clean_pixel_data",
    ),
    **dict.fromkeys(("screen-capture", "colour"), "clean_pixel_data"),
    **dict.fromkeys(("structured-report", "encapsulated-document"), "clean_structured_content"),
    "presentation-state": "clean_graphics",
    "recognizable-features": "clean_recognizable_visual_features",
}
"""The option for objects that stay in for a reason."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute.

    Attributes
    ----------
    path
        Keywords and item numbers, from 1 on: ``RequestAttributesSequence[1].ScheduledProcedureStepID``.
    before, after
        Values in words; None: not there, or not to be shown.
    done
        What came of it.
    what
        The same in more words.
    """

    path: str
    tag: str = ""
    vr: str = ""
    creator: str = ""
    before: str | None
    after: str | None
    done: Done
    what: str
    reason: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of an object; `reason`, `message` and `advice` when it stays in."""

    policy: str
    outcome: Literal["anonymized", "quarantined"]
    reason: str = ""
    message: str = ""
    advice: str = ""
    lines: list[Line] = []


def trial(
    source: Path, *, key: ProjectKey, policy: Policy, values: bool = True, tools: Tools = NO_TOOLS
) -> Trial:
    """Anonymize a file and tell what came of each attribute.

    Parameters
    ----------
    values
        Whether lines have values.
    tools
        What looks at pixels and documents.

    Raises
    ------
    OSError
        When the file can't be read.
    """
    result = anonymize(source, key=key, policy=policy, tools=tools)
    if isinstance(result, Quarantine):
        return Trial(
            policy=policy.label,
            outcome="quarantined",
            reason=result.reason,
            message=result.message,
            advice=_advice(result.reason, policy),
        )
    rules = RuleBook(policy).of(result.sop_class_uid)
    lines = _Comparison(rules, values=values).lines(source.read_bytes(), result.content)
    return Trial(policy=policy.label, outcome="anonymized", lines=list(lines))


def _advice(reason: str, policy: Policy) -> str:
    option = _WOULD_CLEAN.get(reason)
    if option is None or option in policy.options:
        return ""
    return f"The option {option} ({title(option)}) is for such objects."


class _Place(NamedTuple):
    """Where a comparison is: in which sequence, under which path, and why its elements share its fate."""

    parent: int | None = None
    within: Within = Within.OBJECT
    path: str = ""
    fate: str = ""
    old_charset: Sequence[str] = ("iso8859",)
    new_charset: Sequence[str] = ("iso8859",)


class _Pair(NamedTuple):
    """An element and what came of it; at least one is there."""

    old: Element | None
    new: Element | None

    @property
    def found(self) -> Element:
        """The original, else what came."""
        found = self.old or self.new
        if found is None:
            raise ValueError("an element stands on one side at least")
        return found

    @property
    def done(self) -> Done:
        """What came of the element."""
        old, new = self
        if old is None or new is None:
            return "added" if old is None else "removed"
        if old.items is not None or new.items is not None:
            before, after = len(old.items or []), len(new.items or [])
            return "kept" if before == after else "replaced" if after else "emptied"
        if old.text == new.text:
            return "kept"
        return "replaced" if new.text else "emptied"


class _Comparison:
    """Compares an object with what came of it."""

    def __init__(self, rules: Rules, *, values: bool) -> None:
        self._rules = rules
        self._values = values
        self._little = True, True

    def lines(self, original: bytes, anonymized: bytes) -> Iterator[Line]:
        """Yield a line for each attribute, at every depth, in the order of tags."""
        old, new = opened(original), opened(anonymized)
        if any(old.preamble):
            before = f"{len(old.preamble)} bytes" if self._values else None
            yield Line(
                path="preamble",
                before=before,
                after=None,
                done="removed",
                what="removed",
                reason="Anything fits in it",
            )
        for tag in sorted(old.meta.keys() | new.meta.keys()):
            vr = str(known_vr(tag) or "UN")
            pair = _Pair(
                *(
                    Element(tag, vr, one.meta[tag], None, "") if tag in one.meta else None
                    for one in (old, new)
                )
            )
            told = pair.done, "Written anew"
            yield self._line(f"file meta {pair.found.name}", pair, told, _Place())
        self._little = old.little, new.little
        yield from self._datasets(old.dataset, new.dataset, _Place())

    def _datasets(self, old: Dataset | None, new: Dataset | None, place: _Place) -> Iterator[Line]:
        if old is not None:
            place = place._replace(old_charset=charset_of(old, place.old_charset))
        if new is not None:
            place = place._replace(new_charset=charset_of(new, place.new_charset))
        for tag in sorted(tags_of(old) | tags_of(new)):
            pair = _Pair(
                *(element(one, tag) if one is not None and tag in one else None for one in (old, new))
            )
            yield from self._element(tag, pair, place)

    def _element(self, tag: int, pair: _Pair, place: _Place) -> Iterator[Line]:
        decision = self._rules.decide(tag, place.parent, place.within)
        found = pair.found
        path = f"{place.path}{found.name}"
        yield self._line(path, pair, _told(decision, pair, place), place)
        if found.items is None:
            return
        inner = place._replace(
            parent=tag,
            within=items_within(decision.action, place.within),
            fate=place.fate or _fate(tag, place, pair.new),
        )
        old, new = (one.items or [] if one else [] for one in pair)
        for number, (one, other) in enumerate(aligned(old, new), 1):
            yield from self._datasets(one, other, inner._replace(path=f"{path}[{number}]."))

    def _line(self, path: str, pair: _Pair, told: tuple[str, str], place: _Place) -> Line:
        found = pair.found
        before, after = (
            shown(one, charset, little=little) if one is not None and self._values else None
            for one, charset, little in zip(
                pair, (place.old_charset, place.new_charset), self._little, strict=True
            )
        )
        what, reason = told
        return Line(
            path=path,
            tag=written(found.tag),
            vr=found.vr,
            creator=found.creator if self._values else "",
            before=before,
            after=after,
            done=pair.done,
            what=what,
            reason=reason,
        )


def aligned(
    old: Sequence[Dataset], new: Sequence[Dataset]
) -> Iterator[tuple[Dataset | None, Dataset | None]]:
    """Pair a sequence's items with what came of them, in order; fewer came out when some were removed."""
    waiting = list(new)
    for left, item in zip(range(len(old), 0, -1), old, strict=True):
        if waiting and (left <= len(waiting) or _came_of(item, waiting[0])):
            yield item, waiting.pop(0)
        else:
            yield item, None
    for item in waiting:
        yield None, item


def _came_of(old: Dataset, new: Dataset) -> bool:
    """Tell whether an item can have come of another: no attribute is new, and its kind is the same."""
    kinds = [element(one, _VALUE_TYPE).text if _VALUE_TYPE in one else b"" for one in (old, new)]
    return tags_of(new) <= tags_of(old) and kinds[0] == kinds[1]


def _told(decision: Decision, pair: _Pair, place: _Place) -> tuple[str, str]:
    """Say what came of an element, and why; what the rules alone don't explain is said, too."""
    if place.parent is None and pair.found.tag in _WRITTEN:
        return "written by CHIPS", _SAYS
    if place.fate:
        return pair.done, place.fate
    reason = because(decision.reason)
    match pair.done, decision.action:
        case "kept", _ if not pair.found.text and not pair.found.items:
            return "empty as before", reason
        case "kept", Action.UID:
            reason += "; it is one of the standard's own, which name nobody"
        case "replaced", Action.KEEP:
            reason += "; but the value repeats what identifies, or is not of its kind"
        case "removed", Action.PRIVATE:
            reason = "Private, and not on the list of safe ones"
        case (("removed" | "emptied"), action) if action not in _TAKING_AWAY:
            reason += "; nothing that may stay was left of it"
        case "replaced", action:
            return ACTIONS[action], reason
    return pair.done, reason


def _fate(tag: int, place: _Place, new: Element | None) -> str:
    """Say why a sequence's elements share its fate; empty when each has its own."""
    if place.parent is None and tag in _WRITTEN:
        return _SAYS
    return "" if new is not None and new.items else "Goes with its sequence"
