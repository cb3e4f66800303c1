"""What can be set, sent and typed is documented, and the generated pages have not drifted."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from cyclopts import App

from deploy.cli import app
from gateway import conformance
from schemas import document
from schemas.catalogue import TOPICS, TYPES
from streams.settings import Settings

ROOT = Path(__file__).parent.parent.parent
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {
    row[0]: row[1:] for row in re.findall(r"^\| `(CHIPS_\w+)` \| (.*?) \| (.+) \|$", OPERATING, re.MULTILINE)
}


def commands(of: App, prefix: str = "chips") -> list[str]:
    found = []
    for name in of:
        if not name.startswith("-"):
            under = commands(of[name], f"{prefix} {name}")
            found += under or [f"{prefix} {name}"]
    return found


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_in_the_table_with_its_default(field):
    default, says = ROWS[f"CHIPS_{field.name.upper()}"]
    value = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
    assert default.strip("` ") == value
    assert len(says) > 10


def test_the_table_has_no_setting_that_is_gone():
    assert {name.removeprefix("CHIPS_").lower() for name in ROWS} == set(Settings.__struct_fields__)


def test_the_events_page_has_not_drifted():
    assert document.main(["--check"]) == 0


def test_drift_is_seen(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(document, "EVENTS", tmp_path / "docs" / "events.md")
    assert document.main(["--check"]) == 1
    assert document.main([]) == 0
    assert document.main(["--check"]) == 0
    document.EVENTS.write_text(document.EVENTS.read_text().replace("14 d", "13 d"))
    assert document.main(["--check"]) == 1
    assert "has drifted" in capsys.readouterr().err


def test_the_conformance_statement_says_what_the_code_says():
    assert conformance.main(["--check"]) == 0


def test_a_status_that_the_statement_does_not_have_is_drift(tmp_path, monkeypatch, capsys):
    page = conformance.PAGE.read_text(encoding="utf-8")
    monkeypatch.setattr(conformance, "PAGE", tmp_path / "page.md")
    conformance.PAGE.write_text(page.replace("| 0xA700 |", "| 0xA701 |"), encoding="utf-8")
    assert conformance.main(["--check"]) == 1
    assert "has drifted" in capsys.readouterr().err
    assert conformance.main([]) == 0
    assert conformance.PAGE.read_text(encoding="utf-8") == page


def test_every_topic_and_type_has_its_line():
    rows = dict(re.findall(r"^\| `(chips\.\S+)` \| (.+) \|$", document.EVENTS.read_text(), re.MULTILINE))
    assert rows.keys() == {*TOPICS, *TYPES}
    assert all(len(says) > 8 for says in rows.values())


@pytest.mark.parametrize("command", commands(app))
def test_every_command_is_documented(command):
    assert re.search(rf"`?{command}\b", OPERATING + README)
