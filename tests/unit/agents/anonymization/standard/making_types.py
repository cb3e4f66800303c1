"""Makes ``agents/anonymization/standard/types.json`` from highdicom's tables of PS3.3 (MIT).

    python -m tests.unit.agents.anonymization.standard.making_types

Kept are attributes whose treatment depends on their type: rows of Table E.1-1 with alternatives, and unlisted
ones of a kind that is removed. Type 3 is what is left out. Within sequences the strictest type of any IOD
counts: there they hardly differ.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from pydicom.datadict import dictionary_VR, tag_for_keyword

from agents.anonymization.policy.rules import UNLISTED_REMOVED
from agents.anonymization.standard.table import load_table
from agents.anonymization.standard.unlisted import load_unlisted

TARGET = Path("agents/anonymization/standard/types.json")
_STRICT = ("1", "1C", "2", "2C")


def made() -> str:
    """Give the file's text."""
    found = resources.files("highdicom") / "_standard"
    classes, iods, modules = (
        json.loads((found / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
    )
    rows = load_table().rules.values()
    listed = {row.keyword for row in rows}
    alternatives = {row.keyword for row in rows if "/" in row.action}
    top: dict[str, dict[str, str]] = {}
    nested: dict[str, str] = {}
    for iod, parts in sorted(iods.items()):
        own = top.setdefault(iod, {})
        for part in parts:
            for attribute in modules.get(part["key"], []):
                keyword, kind = attribute["keyword"], attribute["type"]
                if kind == "3" or not _depends(keyword, listed, alternatives):
                    continue
                if attribute["path"]:
                    _keep_strictest(nested, f"{attribute['path'][-1]}/{keyword}", kind)
                else:
                    _keep_strictest(own, keyword, kind)
    content = {"sop_classes": classes, "top": top, "nested": nested}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _depends(keyword: str, listed: set[str], alternatives: set[str]) -> bool:
    tag = tag_for_keyword(keyword)
    if tag is None:
        return False
    unlisted = dictionary_VR(tag) in UNLISTED_REMOVED or tag in load_unlisted()
    return keyword in alternatives or (keyword not in listed and unlisted)


def _keep_strictest(types: dict[str, str], key: str, kind: str) -> None:
    if key not in types or _STRICT.index(kind) < _STRICT.index(types[key]):
        types[key] = kind


if __name__ == "__main__":
    TARGET.write_text(made(), encoding="utf-8")
