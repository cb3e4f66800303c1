"""JSON Schema (2020-12) of every event type and view. Pure; ``python -m schemas.jsonschema`` writes it."""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from schemas import catalogue, views
from schemas.envelope import Event

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

VIEWS: Final[dict[str, type[msgspec.Struct]]] = {
    "view.card": views.Card,
    "view.feed": views.FeedDetail,
    "view.timeline": views.TimelineRow,
    "view.counts": views.SeriesCounts,
}


def documents() -> dict[str, dict[str, Any]]:
    """Give the schema of each event type, and of each view, by name."""
    events = {name: _event(name, struct) for name, (struct, _) in catalogue.TYPES.items()}
    return events | {name: _view(name, struct) for name, struct in VIEWS.items()}


def required() -> dict[str, dict[str, list[str]]]:
    """Give the fields that each event type requires, by its structs; ``Event`` is the envelope."""
    found = {}
    for name, document in documents().items():
        if name not in catalogue.TYPES:
            continue
        parts = document["$defs"] | {Event.__name__: document}
        found[name] = {part: sorted(schema.get("required", [])) for part, schema in parts.items()}
    return found


def encoded(document: dict[str, Any]) -> bytes:
    """Encode a schema, indented, so that a change shows as a change of lines."""
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2) + b"\n"


def _event(name: str, struct: type[msgspec.Struct]) -> dict[str, Any]:
    (data, _), definitions = _components(struct, Event)
    envelope = definitions.pop(Event.__name__)
    envelope["properties"] |= {"type": {"const": name}, "data": data}
    topic = catalogue.topic_of(name)
    envelope["title"] = name
    envelope["description"] = f"{definitions[struct.__name__]['description']} On {topic.name}, a CloudEvent."
    return _document(name, envelope, definitions)


def _view(name: str, struct: type[msgspec.Struct]) -> dict[str, Any]:
    _, definitions = _components(struct)
    return _document(name, definitions.pop(struct.__name__), definitions)


def _components(*structs: type[msgspec.Struct]) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    references, definitions = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    return references, definitions


def _document(name: str, root: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:chips:schema:{name}", "$defs": definitions} | root
