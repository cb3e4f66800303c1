"""Whether plain values have the shape of a document's type; tells every place that has not. Pure.

msgspec decides the same and stops at the first problem, which it can't name inside of mappings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import inspect

from agents.anonymization.policy.problems import Place, Problem, nearest


def problems(value: object, kind: inspect.Type, place: Place = (), takes: str = "") -> Iterator[Problem]:
    """Yield what does not fit.

    Parameters
    ----------
    kind
        The type, as `msgspec.inspect.type_info` gives it.
    takes
        What stands there, in words.
    """
    if isinstance(kind, inspect.Metadata):
        words = (kind.extra_json_schema or {}).get("description", takes)
        yield from problems(value, kind.type, place, words)
    else:
        yield from _CHECKS[type(kind)](value, kind, place, takes)


def _struct(value: object, kind: inspect.StructType, place: Place, takes: str) -> Iterator[Problem]:
    names = [field.name for field in kind.fields]
    if not isinstance(value, dict):
        yield Problem(place, f"takes a mapping{f' ({takes})' if takes else ''} of {', '.join(names)}.")
        return
    for name in value:
        if name not in names:
            yield Problem((*place, name), f"there is no such field{nearest(name, names) or _of(names)}")
    for field in kind.fields:
        if field.name in value:
            yield from problems(value[field.name], field.type, (*place, field.name))
        elif field.required:
            extra = getattr(field.type, "extra_json_schema", None) or {}
            yield Problem(place, f"{field.name} is missing: give {extra.get('description', 'it')}.")


def _mapping(value: object, kind: inspect.DictType, place: Place, takes: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(place, f"takes a mapping: {takes}.")
        return
    if not _within(len(value), kind.min_length, kind.max_length):
        yield Problem(place, f"takes {takes}.")
    for key, inner in value.items():
        wrong = list(problems(key, kind.key_type, (*place, key)))
        yield from wrong
        if not wrong:
            yield from problems(inner, kind.value_type, (*place, key))


def _sequence(
    value: object, kind: inspect.ListType | inspect.FrozenSetType, place: Place, takes: str
) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(place, f"takes a list: {takes}.")
        return
    if not _within(len(value), kind.min_length, kind.max_length):
        yield Problem(place, f"takes {takes}.")
    for at, item in enumerate(value):
        wrong = list(problems(item, kind.item_type, (*place, at)))
        yield from wrong
        if not wrong and isinstance(kind, inspect.FrozenSetType) and item in value[:at]:
            yield Problem((*place, at), "it stands here twice: leave one out.")


def _tuple(value: object, kind: inspect.TupleType, place: Place, _: str) -> Iterator[Problem]:
    if not isinstance(value, list) or len(value) != len(kind.item_types):
        yield Problem(place, f"takes {len(kind.item_types)} values in brackets.")
        return
    for at, (item, inner) in enumerate(zip(value, kind.item_types, strict=True)):
        yield from problems(item, inner, (*place, at))


def _optional(value: object, kind: inspect.UnionType, place: Place, takes: str) -> Iterator[Problem]:
    if value is not None:
        yield from problems(value, kind.types[0], place, takes)


def _integer(value: object, kind: inspect.IntType, place: Place, takes: str) -> Iterator[Problem]:
    fits = isinstance(value, int) and not isinstance(value, bool)
    if not fits or not _within(value, kind.ge, kind.le):
        yield Problem(place, f"takes {takes}.")


def _literal(value: object, kind: inspect.LiteralType, place: Place, _: str) -> Iterator[Problem]:
    if any(value == one and type(value) is type(one) for one in kind.values):
        return
    words = [str(one) for one in kind.values]
    if isinstance(value, str) and (like := nearest(value, words)):
        yield Problem(place, f"there is no {Problem((value,), '').path}{like}")
    else:
        yield Problem(place, f"takes {', '.join(words)}.")


def _text(value: object, kind: inspect.StrType, place: Place, takes: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        quotes = " Put it in quotes." if isinstance(value, int | float) else ""
        yield Problem(place, f"takes text: {takes}.{quotes}")
    elif any("\ud800" <= one <= "\udfff" for one in value):
        yield Problem(place, "half a character stands in it (a lone surrogate): write the whole one.")
    elif not _within(len(value), kind.min_length, kind.max_length) or (
        kind.pattern and not re.search(kind.pattern, value)
    ):
        yield Problem(place, f"takes {takes}.")


def _within(value: Any, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _of(names: list[str]) -> str:
    return f": there are {', '.join(names)}."


_CHECKS: dict[type[inspect.Type], Callable[[object, Any, Place, str], Iterator[Problem]]] = {
    inspect.StructType: _struct,
    inspect.DictType: _mapping,
    inspect.ListType: _sequence,
    inspect.FrozenSetType: _sequence,
    inspect.TupleType: _tuple,
    inspect.UnionType: _optional,
    inspect.LiteralType: _literal,
    inspect.IntType: _integer,
    inspect.StrType: _text,
}
"""The kinds of types that policies are made of."""
