"""Where devices draw text, by maker, model and size: the lists of others, and the policy's own. Pure.

`regions.json` is made from the recipe of deid and from CTP's script as Isocenter reads it (see NOTICE). A
rule asks only what an anonymized object still says, and applies only to objects that are suspected of text.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import NamedTuple

import msgspec

from agents.anonymization.pixels.boxes import Box
from agents.anonymization.policy.document import Region


class Device(NamedTuple):
    """What an object says of the device that made it, and how large its picture is."""

    modality: str
    manufacturer: str
    model: str
    image_type: str
    rows: int
    columns: int


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given must fit: one of the texts (lower case) occurs in the attribute; a size is equal."""

    modality: list[str] = []
    manufacturer: list[str] = []
    model: list[str] = []
    image_type: list[str] = []
    rows: list[int] = []
    columns: list[int] = []

    def fit(self, device: Device) -> bool:
        """Tell whether a device fits."""
        return (
            _occurs(self.modality, device.modality)
            and _occurs(self.manufacturer, device.manufacturer)
            and _occurs(self.model, device.model)
            and _occurs(self.image_type, device.image_type)
            and (not self.rows or device.rows in self.rows)
            and (not self.columns or device.columns in self.columns)
        )


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Boxes (left, top, width, height) for devices that fit; `sources` say whose rule it is."""

    label: str
    conditions: Conditions
    boxes: list[tuple[int, int, int, int]]
    sources: list[str]


class _File(msgspec.Struct, frozen=True):
    rules: list[Rule]


@functools.cache
def load_rules() -> tuple[Rule, ...]:
    """Read the rules that come with this package."""
    content = resources.files(__package__).joinpath("regions.json").read_bytes()
    return tuple(msgspec.json.decode(content, type=_File).rules)


def text_regions(device: Device, own: Sequence[Region]) -> list[Box]:
    """Give the boxes where this device draws text, by the lists and by the policy's `own` regions."""
    found = list(_listed(device))
    found += [region.boxes for region in own if _fits(region, device)]
    return [
        Box(left, top, left + width, top + height) for boxes in found for left, top, width, height in boxes
    ]


def _listed(device: Device) -> Iterator[list[tuple[int, int, int, int]]]:
    for rule in load_rules():
        if rule.conditions.fit(device):
            yield rule.boxes


def _fits(region: Region, device: Device) -> bool:
    return (
        _occurs([region.modality.casefold()], device.modality)
        and _occurs([region.manufacturer.casefold()], device.manufacturer)
        and _occurs([region.model.casefold()], device.model)
        and region.rows in (0, device.rows)
        and region.columns in (0, device.columns)
    )


def _occurs(texts: list[str], value: str) -> bool:
    lower = value.casefold()
    return not texts or any(text in lower for text in texts)
