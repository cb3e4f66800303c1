"""Makes ``agents/anonymization/pixels/regions.json`` from lists of where devices draw text.

    python -m tests.unit.agents.anonymization.pixels.making_regions

`sources/deid.dicom` is the recipe of deid (MIT), `sources/ctp_rules.json` the reading of CTP's script in
Isocenter (Apache-2.0). Only rules with coordinates count. What an anonymized object no longer says (its
series description, its comments) can't be asked: such a condition is taken as fulfilled, because a box too
many costs a strip of a picture that is suspected anyway, and one too few a name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "sources"
TARGET = Path("agents/anonymization/pixels/regions.json")

_ATTRIBUTES = {
    "Modality": "modality",
    "Manufacturer": "manufacturer",
    "ManufacturerModelName": "model",
    "ImageType": "image_type",
    "Rows": "rows",
    "Columns": "columns",
    # slips of the recipe's writers
    "Manfacturer": "manufacturer",
    "Manufacture": "manufacturer",
    # file meta information is made anew; the name of its writer is that of the device's maker
    "ImplementationVersionName": "manufacturer",
}
_NO_MODALITIES = {"mri", "other", "pet/ct"}
"""Written as modalities, and none: an object can't have them."""
_ONLY_OVERLAYS = {"OverlayDescription"}
"""Such a rule is about overlays, which don't lie in the pixels and go anyway."""

Condition = dict[str, Any]
Rule = dict[str, Any]


def made() -> str:
    """Give the file's text."""
    rules: dict[str, Rule] = {}
    deid = _of_deid()
    for source, found in (("deid", deid), ("ctp", _of_ctp())):
        for rule in found:
            _name_modality(rule, deid)
            key = json.dumps([rule["conditions"], rule["boxes"]], sort_keys=True)
            merged = rules.setdefault(key, {**rule, "sources": []})
            if source not in merged["sources"]:
                merged["sources"].append(source)
    lines = ",\n".join("  " + json.dumps(rule) for rule in rules.values())
    return f'{{\n "rules": [\n{lines}\n ]\n}}\n'


def _name_modality(rule: Rule, deid: list[Rule]) -> None:
    """Say for which modality a rule of a whole maker is, when deid, which has it too, says so."""
    if rule["conditions"].keys() & {"modality", "model"}:
        return
    for other in deid:
        if other["boxes"] == rule["boxes"] and "modality" in other["conditions"]:
            rule["conditions"]["modality"] = other["conditions"]["modality"]
            return


def _of_deid() -> list[Rule]:
    found = []
    recipe = (SOURCES / "deid.dicom").read_text(encoding="utf-8")
    for part in re.split(r"^LABEL ", recipe, flags=re.MULTILINE)[1:]:
        label, *lines = re.split(r"^%", part, flags=re.MULTILINE)[0].splitlines()
        boxes, conditions, dropped = [], {}, False
        for line in filter(None, map(str.strip, lines)):
            at = re.fullmatch(r"(ctp)?coordinates ([\d, ]+)", line)
            if at:
                boxes.append(_box([int(number) for number in at[2].split(",")], corners=at[1] is None))
                continue
            dropped |= any(name in line for name in _ONLY_OVERLAYS)
            alternatives = [_deid_condition(one) for one in line.removeprefix("+ ").split(" || ")]
            _add(conditions, alternatives)
        if boxes and not dropped:
            found.append(_rule(label.split("#")[0].strip(), conditions, boxes))
    return found


def _deid_condition(text: str) -> tuple[str, list[str]]:
    _, attribute, *value = text.split(" ", 2)
    values = (value or [""])[0]
    # deid reads values as regular expressions: | is "or"; + was meant as "and", and its last part asks most
    last = next((part for part in reversed(values.split("+")) if part), "")
    return attribute, [one for one in last.split("|") if one]


def _of_ctp() -> list[Rule]:
    content = json.loads((SOURCES / "ctp_rules.json").read_text(encoding="utf-8"))
    found = []
    for rule in content["rules"]:
        conditions: dict[str, list[str]] = {}
        for factor in re.split(r"\*(?![^(]*\)\s*\*)", rule["_ctp_condition"]):
            terms = re.findall(r"([\w\[\],]+)\.(?:containsIgnoreCase|equals)\s*\(\"([^\"]*)\"\)", factor)
            _add(conditions, [(attribute, [value]) for attribute, value in terms])
        boxes = [
            [left, top, right - left, bottom - top] for top, bottom, left, right in rule["redaction_zones"]
        ]
        label = " ".join(name for name in (rule["manufacturer"], rule["model_name"]) if name != "Unknown")
        found.append(_rule(label, conditions, boxes))
    return found


def _add(conditions: dict[str, list[str]], alternatives: list[tuple[str, list[str]]]) -> None:
    """Add what one line asks: any of the alternatives, all of one attribute that can be asked, or nothing."""
    names = {_ATTRIBUTES.get(attribute) for attribute, _ in alternatives}
    if len(names) != 1 or None in names:
        return
    name = str(names.pop())
    values = sorted({value.casefold() for _, some in alternatives for value in some} - _NO_MODALITIES)
    if not values:
        return
    # asked twice for one attribute, the narrower question counts: "GE" and "GE MEDICAL"
    known = conditions.get(name)
    if known is None or all(any(old in new for old in known) for new in values):
        conditions[name] = values


def _box(numbers: list[int], *, corners: bool) -> list[int]:
    left, top, third, fourth = numbers
    return [left, top, third - left, fourth - top] if corners else [left, top, third, fourth]


def _rule(label: str, conditions: dict[str, list[str]], boxes: list[list[int]]) -> Rule:
    assert set(conditions) & {"manufacturer", "model"} or "modality" in conditions, label
    typed = {
        name: [int(value) for value in values] if name in ("rows", "columns") else values
        for name, values in conditions.items()
    }
    return {"label": label, "conditions": typed, "boxes": boxes}


if __name__ == "__main__":
    TARGET.write_text(made(), encoding="utf-8")
