"""JSON Schema (2020-12) of policy documents: the shape, and what does not go together. Pure.

Editors that know it complete and check while one writes. What needs the dictionary (whether an attribute
exists, what an action can be done to) only the reader knows.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from agents.anonymization.policy.conflicts import CONFLICTS
from agents.anonymization.policy.document import Policy

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def document() -> dict[str, Any]:
    """Give the schema."""
    _, definitions = msgspec.json.schema_components([Policy], ref_template="#/$defs/{name}")
    for definition in definitions.values():
        definition["description"] = inspect.cleandoc(definition["description"])
        for field in definition["properties"].values():
            if not field.get("default", True):
                # "", 0 and null mean that nothing is said: none of them may be written.
                del field["default"]
    for conflict in CONFLICTS:
        definitions[conflict.of].setdefault("allOf", []).append(conflict.schema)
    root = definitions.pop(Policy.__name__)
    root["title"] = "A de-identification policy of CHIPS"
    return {"$schema": DIALECT, "$id": "urn:chips:schema:policy.v1", "$defs": definitions, **root}


def encoded() -> bytes:
    """Encode it, indented, so that a change shows as a change of lines."""
    return msgspec.json.format(msgspec.json.encode(document(), order="sorted"), indent=2) + b"\n"
