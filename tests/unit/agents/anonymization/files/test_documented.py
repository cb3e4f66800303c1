"""The guide says what a manifest, a report and a status can say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from agents.anonymization.files import entries, examining, walking
from agents.anonymization.files.entries import Entry, Result
from deploy.exits import Exit

GUIDE = (Path(entries.__file__).parents[3] / "docs" / "anonymization.md").read_text(encoding="utf-8")


def row_names(heading):
    section = GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (.+?) \| .+ \|$", section, re.MULTILINE)
    return {name for cell in cells[1:] for name in re.findall(r"[\w-]+", cell)}


def test_every_field_of_the_manifest_is_in_its_table_and_no_other():
    assert row_names("The manifest") == {field.name for field in msgspec.structs.fields(Entry)}


@pytest.mark.parametrize("result", get_args(Result))
def test_every_result_is_explained(result):
    assert f"`{result}`" in GUIDE


def test_every_status_that_it_can_end_with_is_listed():
    assert row_names("Exit statuses") == {str(int(status)) for status in Exit}


def test_the_example_in_python_is_python():
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    ast.parse(example)
    for module, names in re.findall(r"^from ((?:agents|deploy)\S+) import (.+)$", example, re.MULTILINE):
        found = __import__(module, fromlist=["x"])
        assert all(hasattr(found, name) for name in names.split(", "))


def test_reasons_of_what_is_no_object_are_few_and_known():
    sources = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in (examining, walking))
    told = set(re.findall(r'"([a-z]+-[a-z]+|link)", ', sources)) - {"left-out"}
    assert told == {"empty-file", "not-dicom", "media-directory", "special-file", "link", "link-outside"}
