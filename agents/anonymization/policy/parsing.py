"""A document's text as plain values, YAML or JSON, within bounds. Pure.

YAML is taken from the parser's events and not by a loader: no aliases, which can make gigabytes of a few
lines; no tags; and scalars as YAML 1.2's core schema reads them, so that NO is a word and not "false". Of two
equal keys neither wins.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]

from agents.anonymization.policy.problems import Place, Problem, WrongPolicy

MAX_BYTES = 256 * 1024
MAX_DEPTH = 8
"""A number in a box in a region lies five deep."""
MAX_VALUES = 20_000

_HINTS = {"mapping values are not allowed here": " (put text with a colon in it in quotes)"}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {
    text: value
    for word, value in (("true", True), ("false", False))
    for text in (word, word.title(), word.upper())
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")


class Parsed(NamedTuple):
    """A document's values, and the line of each place that is known."""

    value: object
    lines: Mapping[Place, int]


def parse(content: bytes, *, as_json: bool) -> Parsed:
    """Give a document's values.

    Raises
    ------
    agents.anonymization.policy.problems.WrongPolicy
        When the text is too large, not UTF-8, no YAML or JSON, or uses what policies don't.
    """
    if len(content) > MAX_BYTES:
        raise _wrong(f"More than {MAX_BYTES // 1024} KiB: no policy needs that much.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(f"Byte {error.start} is not UTF-8: save the document as UTF-8.") from error
    return _json(text) if as_json else _Yaml().parse(text)


def _wrong(says: str, place: Place = (), line: int | None = None) -> WrongPolicy:
    return WrongPolicy([Problem(place, says)], {place: line} if line else None)


class _Open(NamedTuple):
    """A mapping or sequence that is being read; `keys` holds the key that waits for its value."""

    value: dict[str, object] | list[object]
    place: Place
    keys: list[str]


class _Yaml:
    """Builds values from the parser's events, without recursion."""

    def __init__(self) -> None:
        self._stack: list[_Open] = []
        self._count = 0
        self.lines: dict[Place, int] = {}
        self.value: object = None

    def parse(self, text: str) -> Parsed:
        documents = 0
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    raise _wrong("A second document begins: one file is one policy.", (), _line(event))
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            says = str(error.problem or error.context)
            hint = _HINTS.get(says, "")
            raise _wrong(f"No YAML: {says}{hint}.", (), mark and mark.line + 1) from error
        except yaml.YAMLError as error:
            raise _wrong("No YAML: it holds a character that text does not have.") from error
        return Parsed(self.value, self.lines)

    def _take(self, event: Any) -> None:
        match event:
            case yaml.AliasEvent():
                raise _wrong("Aliases (*) are not taken: write the value out.", (), _line(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent() | yaml.ScalarEvent():
                self._plain(event)
                if isinstance(event, yaml.ScalarEvent):
                    self._scalar(event)
                else:
                    self._open(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()
            case _:
                pass

    def _plain(self, event: Any) -> None:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _wrong(f"More than {MAX_VALUES} values: no policy needs that many.", (), _line(event))
        if event.anchor:
            raise _wrong("Anchors (&) are not taken: write the value out.", (), _line(event))
        if event.tag and event.tag != "!":
            raise _wrong("Tags (!) are not taken: leave it out.", (), _line(event))

    def _open(self, event: Any, value: dict[str, object] | list[object]) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise _wrong(f"More than {MAX_DEPTH} levels deep: no policy is.", (), _line(event))
        parent = self._stack[-1] if self._stack else None
        if parent and isinstance(parent.value, dict) and not parent.keys:
            raise _wrong("A key must be a word.", parent.place, _line(event))
        self._stack.append(_Open(value, self._put(event, value), []))

    def _scalar(self, event: Any) -> None:
        parent = self._stack[-1] if self._stack else None
        if parent is None or isinstance(parent.value, list) or parent.keys:
            self._put(event, _resolved(event.value) if event.implicit[0] else event.value)
        elif event.value in parent.value:
            place = (*parent.place, event.value)
            raise _wrong("It stands here twice: leave one out.", place, _line(event))
        else:
            parent.keys.append(event.value)

    def _put(self, event: Any, value: object) -> Place:
        """Put a value where it belongs; give its place."""
        place: Place = ()
        if self._stack:
            parent = self._stack[-1]
            key = len(parent.value) if isinstance(parent.value, list) else parent.keys.pop()
            place = (*parent.place, key)
            if isinstance(parent.value, list):
                parent.value.append(value)
            else:
                parent.value[str(key)] = value
        else:
            self.value = value
        self.lines[place] = _line(event)
        return place


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _resolved(text: str) -> object:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return _number(text) if _FLOAT.fullmatch(text) else text


def _number(text: str) -> float | int:
    """Give a number; 1.0 is a whole one, as for JSON Schema."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _json(text: str) -> Parsed:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_once,
            parse_int=lambda digits: int(digits) if _INTEGER.fullmatch(digits) else float(digits),
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        raise _wrong(f"No JSON: {error.msg}.", (), error.lineno) from error
    except RecursionError as error:
        raise _wrong(f"More than {MAX_DEPTH} levels deep: no policy is.") from error
    _bounded(value)
    return Parsed(value, {})


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _wrong("It stands here twice: leave one out.", (twice,))
    return found


def _bounded(value: object) -> None:
    level, count = [value], 0
    for depth in range(MAX_DEPTH + 1):
        count += len(level)
        if count > MAX_VALUES:
            raise _wrong(f"More than {MAX_VALUES} values: no policy needs that many.")
        nested = [one for one in level if isinstance(one, dict | list)]
        if nested and depth == MAX_DEPTH:
            raise _wrong(f"More than {MAX_DEPTH} levels deep: no policy is.")
        level = [inner for one in nested for inner in (one.values() if isinstance(one, dict) else one)]
