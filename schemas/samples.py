"""A synthetic, deterministic event of each type: with every optional field filled, and with none. Pure.

New types get their released example from it (``python -m schemas.jsonschema --examples RELEASE``); examples
that are there are never written again, for they show what older releases wrote.
"""

from __future__ import annotations

import types
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from schemas.catalogue import TYPES
from schemas.envelope import Event, sequence_of
from schemas.identity import derived_id

NOON: Final = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)

_TEXTS: Final = {
    "project": "default",
    "title": "Chest, study 1",
    "tag": "follow-up",
    "text": "Compare with the study before. Größe geprüft.",
    "modality": "CT",
    "origin": "ARCHIVE",
    "source": "ARCHIVE",
    "configured": "ARCHIVE",
    "address": "192.0.2.7",
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
    "transfer_syntax_uid": "1.2.840.10008.1.2.1",
    "media_type": "application/dicom",
    "plugin": "volumetry",
    "plugin_version": "0.1.0",
    "policy": "basic 2025b",
    "reason": "burned-in-text",
    "message": "Ultrasound may show names in its pixels",
    "code": "gap",
    "cause": "The step ran out of memory",
    "runner": "runner-1",
    "step": "measuring",
    "role": "key_slice",
    "unit": "mL",
    "label": "Foreground volume",
    "body_part_examined": "CHEST",
    "patient_sex": "F",
    "patient_age": "054Y",
    "series_description": "Chest 1.0 mm",
    "study_description": "Chest",
}
_NAMES: Final = {"Measure": "volume", "Artefact": "key_slice.png"}
_NUMBERS: Final = {"value": 12.5, "slice_thickness": 1.25, "seconds": 3.5, "fraction": 0.5}


def least(event_type: str) -> Event:
    """Give a synthetic event of a type of the catalogue, of what it requires and nothing else."""
    full = sample(event_type)
    required = {name: getattr(full, name) for name in _required(Event)}
    return Event(**required | {"data": _least(full.data)})


def sample(event_type: str) -> Event:
    """Give a synthetic event of a type of the catalogue, with everything that it may have."""
    struct, _ = TYPES[event_type]
    subject = f"feed/default/{_uuid('feed')}"
    return Event(
        specversion="1.0",
        id=_uuid(event_type),
        source="/chips/agents/feeds",
        type=event_type,
        subject=subject,
        time=NOON,
        datacontenttype="application/json",
        partitionkey=subject,
        data=_struct(struct),
        sequence=sequence_of(7),
        correlationid=_uuid("first"),
        causationid=_uuid("cause"),
        recordedtime=NOON,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        authtype="app_user",
        authid="u-1",
        dataref="sha256:" + "0" * 64,
    )


def _least(value: Any) -> Any:
    """Take out of a struct, and of those in it, what is not required."""
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: _least(getattr(value, name)) for name in _required(type(value))})
    return [_least(one) for one in value] if isinstance(value, list) else value


def _required(struct: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(struct) if field.required]


def _struct(struct: type[msgspec.Struct]) -> msgspec.Struct:
    hints = get_type_hints(struct, include_extras=True)
    return struct(**{name: _value(struct, name, hints[name]) for name in struct.__struct_fields__})


def _value(struct: type[msgspec.Struct], name: str, hint: Any) -> Any:
    kind, pattern = _plain(hint)
    found: Any
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        found = _struct(kind)
    elif get_origin(kind) is list:
        found = [_value(struct, name, get_args(kind)[0])]
    elif get_origin(kind) is tuple:
        found = tuple(_value(struct, name, one) for one in get_args(kind))
    elif get_origin(kind) is Literal:
        found = get_args(kind)[0]
    elif kind is str:
        found = _text(struct, name, pattern)
    else:
        found = {bool: True, int: 2, float: _NUMBERS.get(name, 1.0), datetime: NOON}[kind]
    return found


def _plain(hint: Any) -> tuple[Any, str]:
    """Take a type out of ``Annotated`` and ``| None``; give it with its pattern, if it has one."""
    pattern = ""
    while get_origin(hint) in {Annotated, Union, types.UnionType}:
        for note in getattr(hint, "__metadata__", ()):
            pattern = getattr(note, "pattern", None) or pattern
        hint = get_args(hint)[0]
    return hint, pattern


def _text(struct: type[msgspec.Struct], name: str, pattern: str) -> str:
    """Give a text for a field: an id when its pattern asks for one."""
    if "{64}" in pattern:
        return "5f" * 32
    if "{32}" in pattern:
        return f"{len(name):02x}" * 16
    if "{8}" in pattern:
        return _uuid(name)
    if name == "stream":
        return f"feed/default/{_uuid('feed')}"
    return _TEXTS[name] if name in _TEXTS else _NAMES[struct.__name__]


def _uuid(name: str) -> str:
    return derived_id("sample", name)
