"""What does not go together in a policy, each with the JSON Schema that says the same. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from agents.anonymization.policy.document import Dates, Policy, Region
from agents.anonymization.policy.problems import Problem
from agents.anonymization.standard.codes import PolicyOption

Schema = dict[str, Any]

LETTING_OUT = ("keep", "clean", "shift")
"""Actions by which something of a value comes out."""


class Conflict(NamedTuple):
    """One rule: what of a policy breaks it, and the schema that whatever keeps it fits."""

    of: Literal["Policy", "Override", "Region"]
    """Where the schema belongs."""
    broken: Callable[[Policy], Iterator[Problem]]
    schema: Schema


def conflicts(policy: Policy) -> Iterator[Problem]:
    """Yield what does not go together."""
    for conflict in CONFLICTS:
        yield from conflict.broken(policy)


def _both_dates(policy: Policy) -> Iterator[Problem]:
    if {"retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"} <= policy.options:
        yield Problem(
            ("options",),
            "retain_longitudinal_full_dates and retain_longitudinal_modified_dates are alternatives "
            "(PS3.15, E.3.6): leave one out.",
        )


_NEW_PIXELS: tuple[PolicyOption, ...] = ("clean_pixel_data", "clean_recognizable_visual_features")


def _changed_under_its_uid(policy: Policy) -> Iterator[Problem]:
    if "retain_uids" in policy.options:
        for option in _NEW_PIXELS:
            if option in policy.options:
                yield Problem(
                    ("options",),
                    f"with retain_uids an image that {option} changed would go on under the original's UID, "
                    "as if it were the original: leave one out.",
                )


def _regions_unused(policy: Policy) -> Iterator[Problem]:
    if policy.regions and "clean_pixel_data" not in policy.options:
        yield Problem(
            ("regions",), "they are used by clean_pixel_data: add it to options, or leave them out."
        )


def _private_unused(policy: Policy) -> Iterator[Problem]:
    if policy.safe_private and "retain_safe_private" not in policy.options:
        yield Problem(
            ("safe_private",), "it is used by retain_safe_private: add that to options, or leave it out."
        )


def _dates_unused(policy: Policy) -> Iterator[Problem]:
    shifting = any(override.action == "shift" for override in policy.attributes.values())
    if (
        policy.dates != Dates()
        and "retain_longitudinal_modified_dates" not in policy.options
        and not shifting
    ):
        yield Problem(
            ("dates",),
            "no date is moved: add retain_longitudinal_modified_dates to options, or leave this out.",
        )


def _values(policy: Policy) -> Iterator[Problem]:
    for name, override in policy.attributes.items():
        if override.action == "replace" and override.value is None:
            yield Problem(
                ("attributes", name), "replace needs a value: add value, or take empty, remove or dummy."
            )
        elif override.action != "replace" and override.value is not None:
            yield Problem(
                ("attributes", name, "value"),
                f"it is used by replace, not by {override.action}: leave one out.",
            )


def _whys(policy: Policy) -> Iterator[Problem]:
    for name, override in policy.attributes.items():
        if override.action in LETTING_OUT and not override.why:
            yield Problem(
                ("attributes", name),
                f"{override.action} lets out what the profile takes away: say in why what for.",
            )


_CONDITIONS = ("modality", "manufacturer", "model", "rows", "columns")


def _everywhere(policy: Policy) -> Iterator[Problem]:
    for at, region in enumerate(policy.regions):
        if region == Region(boxes=region.boxes):
            yield Problem(
                ("regions", at),
                f"it would fit every image: give at least one of {', '.join(_CONDITIONS)}.",
            )


def _has(*options: PolicyOption) -> Schema:
    """Give the schema of policies with all of these options."""
    return {
        "properties": {"options": {"allOf": [{"contains": {"const": option}} for option in options]}},
        "required": ["options"],
    }


def _used_by(option: PolicyOption, field: str, given: Schema) -> Schema:
    return {"if": {"properties": {field: given}, "required": [field]}, "then": _has(option)}


_ANY_SHIFT: Schema = {
    "properties": {
        "attributes": {
            "not": {
                "additionalProperties": {
                    "not": {"properties": {"action": {"const": "shift"}}, "required": ["action"]}
                }
            }
        }
    },
    "required": ["attributes"],
}

CONFLICTS: tuple[Conflict, ...] = (
    Conflict(
        "Policy",
        _both_dates,
        {"not": _has("retain_longitudinal_full_dates", "retain_longitudinal_modified_dates")},
    ),
    Conflict(
        "Policy",
        _changed_under_its_uid,
        {"not": {"anyOf": [_has("retain_uids", option) for option in _NEW_PIXELS]}},
    ),
    Conflict("Policy", _regions_unused, _used_by("clean_pixel_data", "regions", {"minItems": 1})),
    Conflict(
        "Policy", _private_unused, _used_by("retain_safe_private", "safe_private", {"minProperties": 1})
    ),
    Conflict(
        "Policy",
        _dates_unused,
        {
            "if": {
                "properties": {
                    "dates": {
                        "properties": {"at_most_days": {"not": {"const": Dates().at_most_days}}},
                        "required": ["at_most_days"],
                    }
                },
                "required": ["dates"],
            },
            "then": {"anyOf": [_has("retain_longitudinal_modified_dates"), _ANY_SHIFT]},
        },
    ),
    Conflict(
        "Override",
        _values,
        {
            "if": {"properties": {"action": {"const": "replace"}}, "required": ["action"]},
            "then": {"properties": {"value": {"type": "string"}}, "required": ["value"]},
            "else": {"properties": {"value": {"type": "null"}}},
        },
    ),
    Conflict(
        "Override",
        _whys,
        {
            "if": {"properties": {"action": {"enum": list(LETTING_OUT)}}, "required": ["action"]},
            "then": {"required": ["why"]},
        },
    ),
    Conflict("Region", _everywhere, {"anyOf": [{"required": [name]} for name in _CONDITIONS]}),
)
