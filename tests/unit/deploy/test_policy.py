"""``chips policy``: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from agents.anonymization.policy import pages
from agents.anonymization.policy.reading import read
from agents.anonymization.policy.ready import NAMES, document_named, policy_named
from deploy.cli import app
from deploy.exits import Exit
from deploy.terminal import WIDE, console
from gateway.identity import patient_of
from gateway.keys import KeyFile
from gateway.masters import MasterFile

MR = get_testdata_file("MR_small.dcm")
ULTRASOUND = get_testdata_file("examples_ybr_color.dcm")


@pytest.fixture
def chips(capsys, monkeypatch, tmp_path):
    """Run a command in an empty folder; its status, what it printed, and what it said of errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str):
        with pytest.raises(SystemExit) as ended:
            app([str(word) for word in words], exit_on_error=False)
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def test_all_are_listed(chips):
    status, out, _ = chips("policy", "list")
    assert status == Exit.OK
    assert all(policy_named(name).label in out for name in NAMES)
    status, out, _ = chips("policy", "list", "--json")
    assert [one["label"] for one in json.loads(out)] == [policy_named(name).label for name in NAMES]


def test_names_of_options_are_whole_on_a_narrow_terminal(chips, monkeypatch):
    monkeypatch.setattr(console, "width", 80)
    listed, shown = chips("policy", "list")[1], chips("policy", "show", "research")[1]
    for option in policy_named("research").options:
        assert option in listed
        assert option in shown
    assert max(map(len, listed.splitlines())) <= 80


def test_one_is_shown_with_its_options_explained(chips):
    status, out, _ = chips("policy", "show", "strict")
    strict = policy_named("strict")
    assert status == Exit.OK
    assert strict.digest in out
    assert "E.3.11" in out
    assert "416 removed" in out
    assert all(f"{name} " in out for name in strict.attributes)
    assert "SR, US, XC" in out
    _, out, _ = chips("policy", "show", "research")
    assert "Dates move back by 1 to 365 days" in out


def test_what_is_shown_can_be_read_again(chips):
    status, out, _ = chips("policy", "show", "research", "--document")
    assert status == Exit.OK
    assert out.encode() == document_named("research")
    Path("mine.yaml").write_text(out)
    assert chips("policy", "show", "./mine.yaml", "--document")[1] == out
    shown = json.loads(chips("policy", "show", "mine.yaml", "--json")[1])
    assert shown["label"] == policy_named("research").label
    assert read(json.dumps(shown["document"]).encode()) == policy_named("research")
    assert shown["options"]["clean_descriptors"] == {
        "section": "E.3.5",
        "title": "Clean Descriptors",
        "on": True,
    }


def test_a_documents_own_text_is_printed_as_it_stands(chips):
    Path("mine.json").write_text(
        json.dumps(
            {
                "name": "mine",
                "version": 1,
                "description": "[bold]x[/bold] \x1b[2J :warning:",
                "attributes": {"PatientAge": {"action": "keep", "why": "[red]why\x1b[2J"}},
                "pseudonyms": {"prefix": "A-"},
                "options": ["retain_safe_private", "clean_pixel_data"],
                "safe_private": {"MAKER:0019,xx0A": "[i]slope"},
                "regions": [{"boxes": [[0, 0, 1, 1]], "modality": "US"}],
            }
        )
    )
    _, out, _ = chips("policy", "show", "mine.json")
    assert "[bold]x[/bold] \\x1b[2J :warning:" in out
    assert "[red]why\\x1b[2J" in out
    assert "Private MAKER:0019,xx0A stays: [i]slope" in out
    assert "begin with A-." in out
    assert "\x1b[2J" not in out


def test_none_of_that_name(chips):
    status, out, err = chips("policy", "show", "strickt")
    assert (status, out) == (Exit.USAGE, "")
    assert "There is no policy strickt: is it strict? There are basic, demo" in err


def test_a_document_is_checked(chips):
    Path("bad.yaml").write_text("name: mine\nversion: 1\noptions: [retain_uid]\ndates: 3\n")
    status, out, _ = chips("policy", "check", "bad.yaml")
    assert status == Exit.NO
    assert out.splitlines() == [
        "bad.yaml: options[0], line 3: there is no retain_uid: is it retain_uids?",
        "bad.yaml: dates, line 4: takes a mapping (how dates are moved) of at_most_days.",
    ]
    Path("odd.yaml").write_text("name: basic\nversion: 9\n")
    status, out, _ = chips("policy", "check", "odd.yaml")
    assert status == Exit.OK
    assert "Mind: name: basic is a ready policy's name" in out
    assert "odd.yaml can be followed: basic/9+" in out
    assert chips("policy", "check", "none.yaml")[0] == Exit.USAGE


def test_the_guides_examples_can_be_followed():
    guide = (pages.SCHEMA.parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        read(example.encode())


def test_the_schema_is_the_committed_one(chips):
    assert chips("policy", "schema")[1].encode() == pages.SCHEMA.read_bytes()


def test_a_file_is_tried(chips):
    status, out, _ = chips("policy", "test", MR)
    assert status == Exit.OK
    assert policy_named("basic").label in out
    assert "CompressedSamples^MR1" in out
    assert "Table E.1-1: X/Z/D" in out
    assert "   X/Z/D  remove, or empty or a dummy" in out
    assert "of a key for tests" in out
    assert re.search(r"^\d+ attributes: .*\d+ removed", out, re.MULTILINE)


def test_a_trial_is_read_on_a_narrow_terminal(chips, monkeypatch):
    monkeypatch.setattr(console, "width", 80)
    _, out, _ = chips("policy", "test", MR, "--policy", "research")
    assert max(map(len, out.splitlines())) <= 80 + len("Pseudonyms")
    assert re.search(r"^ +Modality +MR +the same +kept ", out, re.MULTILINE)
    assert re.search(r"^ +StudyDate +\d{8} +\d{8} +moved +PS3.15 E.3.6 *$", out, re.MULTILINE)
    assert "E.3.6  Retain Longitudinal Temporal Information Modified Dates\n" in out
    assert "E.3.2 " not in out
    assert "replaced" in out


def test_values_stay_off_the_screen_when_asked(chips):
    status, out, _ = chips("policy", "test", MR, "--no-values")
    assert status == Exit.OK
    assert "PatientName" in out
    assert not [text for text in ("CompressedSamples", "TOSHIBA", "20040826", "1.3.6.1") if text in out]
    _, out, _ = chips("policy", "test", MR, "--no-values", "--json")
    assert "CompressedSamples" not in out
    assert {line["after"] for line in json.loads(out)["lines"]} == {None}


def test_the_help_says_that_values_are_shown(chips):
    _, out, _ = chips("policy", "test", "--help")
    assert "VALUES OF THE PATIENT" in out
    assert "--no-values" in out


def test_pseudonyms_are_those_of_the_key(chips, tmp_path):
    key = KeyFile(tmp_path / "k", MasterFile(tmp_path / "k.master")).project_key("study")
    status, out, _ = chips("policy", "test", MR, "--key-file", tmp_path / "k", "--json")
    assert status == Exit.OK
    found = {line["path"]: line for line in json.loads(out)["lines"]}
    uid = found["StudyInstanceUID"]["before"]
    assert found["PatientID"]["after"] == patient_of(key, "", found["PatientID"]["before"], uid)
    assert "of a key for tests" not in chips("policy", "test", MR, "--key-file", tmp_path / "k")[1]
    assert chips("policy", "test", MR, "--key-file", tmp_path / "none")[0] == Exit.USAGE


def test_quarantine_has_its_reason(chips):
    status, out, _ = chips("policy", "test", ULTRASOUND)
    assert status == Exit.NO
    assert "stays in quarantine (ultrasound)" in out
    assert "The option clean_pixel_data (Clean Pixel Data) is for such objects." in out
    status, out, _ = chips("policy", "test", ULTRASOUND, "--json")
    assert status == Exit.NO
    assert json.loads(out)["reason"] == "ultrasound"


def test_what_is_not_there_is_said(chips):
    status, _, err = chips("policy", "test", "none.dcm")
    assert (status, err) == (Exit.USAGE, "chips: There is no file none.dcm: name a DICOM file.\n")
    assert chips("policy", "test", MR, "--policy", "none.yaml")[0] == Exit.USAGE


def test_items_alike_are_one_row(chips):
    def rows(out):
        head = next(line for line in out.splitlines() if "attribute" in line)
        return "".join(line[: head.index(" before ")] for line in out.splitlines()).replace(" ", "")

    _, out, _ = chips("policy", "test", get_testdata_file("rtplan.dcm"))
    assert "ControlPointSequence[1].CumulativeMetersetWeight(2times)" in rows(out)
    assert "ControlPointSequence[2].CumulativeMetersetWeight" not in rows(out)
    assert "DoseReferenceSequence[2].TargetPrescriptionDose" in rows(out)
    assert max(len(line) for line in out.splitlines()) <= WIDE


def test_settings_show_which_policy_is_followed(chips, monkeypatch):
    assert f"basic ({policy_named('basic').label})" in chips("config", "show")[1]
    Path("bad.yaml").write_text("name: mine\n")
    monkeypatch.setenv("CHIPS_POLICY", "bad.yaml")
    status, out, _ = chips("config", "show")
    assert status == Exit.OK
    assert "bad.yaml (can't be followed: line 1: version is missing" in out
