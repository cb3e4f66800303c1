"""``chips policy test``: what it tells is what happens, attribute by attribute, with the rules' reasons."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import msgspec
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.ready import BASIC, DEMO, policy_named
from agents.anonymization.showing import LONGEST
from agents.anonymization.trial import aligned, trial

OPTIONAL = Policy(
    name="trial",
    version=1,
    options=frozenset(["retain_patient_characteristics"]),
    attributes={
        "StationName": Override(action="replace", value="SCANNER"),
        "SeriesDate": Override(action="shift", why="intervals"),
        "StudyDate": Override(action="keep", why="a test has no patient"),
    },
)


@pytest.fixture
def tried(tmp_path, encode, key):
    """Try a policy on a data set (or bytes); lines by path."""

    def run(data, policy=BASIC, syntax="explicit", *, values=True, **meta):
        file = tmp_path / "object.dcm"
        file.write_bytes(data if isinstance(data, bytes) else encode(data, syntax, **meta))
        found = trial(file, key=key, policy=policy, values=values)
        assert found.policy == policy.label
        assert len({line.path for line in found.lines}) == len(found.lines)
        return found, {line.path: line for line in found.lines}

    return run


def leaves(dataset, path=""):
    """Give every element's path and whether it is there with a value, by pydicom's own reading."""
    for element in dataset:
        tag = f"({element.tag.group:04X},{element.tag.elem:04X})"
        name = path + (tag if element.tag.group == 0x6000 else element.keyword or tag)
        yield name, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value, 1):
                yield from leaves(item, f"{name}[{number}].")


def nested():
    inner = Dataset()
    inner.ScheduledProcedureStepID = "STEP-9"
    inner.ReferencedSOPInstanceUID = "1.2.3.4.77"
    inner.PatientName = "Nested^Name"
    inner.Manufacturer = "Inner maker"
    deeper = Dataset()
    deeper.StationName = "Deep station"
    inner.AnatomicRegionSequence = Sequence([deeper])
    return inner


def whole(ct, **changes):
    data = ct(StationName="Station-7", SeriesDate="20240301", **changes)
    data.RequestAttributesSequence = Sequence([nested()])
    data.AnatomicRegionSequence = Sequence([nested(), nested()])
    data.add_new(0x00190010, "LO", "MAKER 1.0")
    data.add_new(0x0019100A, "LO", "private value")
    data.add_new(0x60000022, "LO", "overlay")
    return data


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
@pytest.mark.parametrize("policy", [BASIC, DEMO, OPTIONAL], ids=lambda policy: policy.name)
def test_every_element_has_its_line_with_what_came_of_it(ct, encode, key, tried, *, policy, syntax):
    data = whole(ct)
    found, lines = tried(data, policy, syntax)
    content = encode(data, syntax)
    result = anonymize(content, key=key, policy=policy)
    before = dict(leaves(pydicom.dcmread(BytesIO(content))))
    after = dict(leaves(pydicom.dcmread(BytesIO(result.content))))
    told = {path for path in lines if not path.startswith(("file meta", "preamble"))}
    assert told == before.keys() | after.keys()
    assert found.outcome == "anonymized"
    for path in told:
        line = lines[path]
        old, new = before.get(path), after.get(path)
        assert (line.before is None, line.after is None) == (old is None, new is None), path
        assert (line.done == "added", line.done == "removed") == (old is None, new is None), path
        if old is None or new is None or old.VR == "SQ":
            continue
        same = old.value == new.value or (old.is_empty and new.is_empty)
        assert line.done == ("kept" if same else "emptied" if new.is_empty else "replaced"), path
        for value, said in ((old, line.before), (new, line.after)):
            if value.VR in ("LO", "SH", "PN", "CS", "DA", "TM", "UI", "AS") and value.VM < 2:
                assert said == str(value.value or ""), path


def test_actions_and_reasons_are_in_words(ct, tried):
    _, lines = tried(whole(ct), OPTIONAL, SourceApplicationEntityTitle="HOSPITAL")

    def said(path):
        line = lines[path]
        return line.done, line.what, line.reason

    assert said("PatientName")[:2] == ("replaced", "pseudonym")
    assert said("StudyInstanceUID") == ("replaced", "new UID", "Table E.1-1: U")
    assert said("StudyDescription") == ("removed", "removed", "Table E.1-1: X")
    assert said("StudyTime") == ("emptied", "emptied", "Table E.1-1: Z")
    assert said("StudyDate") == ("kept", "kept", "The policy: a test has no patient")
    assert said("StationName") == ("replaced", "policy's value", "The policy")
    assert said("SeriesDate") == ("replaced", "moved", "The policy: intervals")
    assert lines["SeriesDate"].before == "20240301"
    assert lines["SeriesDate"].after < "20240301"
    assert said("PatientAge") == ("kept", "kept", "Retain Patient Characteristics (PS3.15, E.3.7)")
    assert said("SOPClassUID")[2] == "Unlisted UID; it is one of the standard's own, which name nobody"
    assert said("(0019,100A)") == ("removed", "removed", "Private")
    assert (lines["(0019,100A)"].tag, lines["(0019,100A)"].creator) == ("(0019,100A)", "MAKER 1.0")
    assert said("(6000,0022)") == ("removed", "removed", "Curves and overlays")
    assert said("RequestAttributesSequence[1].ScheduledProcedureStepID")[2] == "Goes with its sequence"
    assert (
        said("RequestAttributesSequence[1].AnatomicRegionSequence[1].StationName")[2]
        == "Goes with its sequence"
    )
    assert said("AnatomicRegionSequence[2].PatientName")[:2] == ("emptied", "emptied")
    assert said("AnatomicRegionSequence[2].AnatomicRegionSequence[1].StationName")[1] == "policy's value"
    assert said("PatientIdentityRemoved") == ("added", "written by CHIPS", "Says what was done to the object")
    assert said("DeidentificationMethodCodeSequence[2].CodeValue")[2] == "Says what was done to the object"
    assert lines["DeidentificationMethodCodeSequence[2].CodeValue"].after == "113108"
    assert said("file meta SourceApplicationEntityTitle") == ("removed", "removed", "Written anew")
    assert lines["file meta SourceApplicationEntityTitle"].before == "HOSPITAL"
    assert said("preamble")[0] == "removed"
    assert lines["PixelData"].before == lines["PixelData"].after == "32 bytes"
    assert lines["Rows"].after == "4"
    assert lines["AnatomicRegionSequence"].before == "2 items"


@pytest.mark.parametrize(
    ("action", "done", "what", "inside"),
    [
        ("empty", "emptied", "emptied", ("removed", "Goes with its sequence")),
        ("dummy", "replaced", "dummy", ("replaced", "In a sequence of dummies")),
        ("remove", "removed", "removed", ("removed", "Goes with its sequence")),
    ],
)
def test_a_sequence_and_what_is_in_it(ct, tried, *, action, done, what, inside):
    policy = Policy(name="x", version=1, attributes={"AnatomicRegionSequence": Override(action=action)})
    _, lines = tried(whole(ct), policy)
    line = lines["AnatomicRegionSequence"]
    assert (line.done, line.what, line.before) == (done, what, "2 items")
    line = lines["AnatomicRegionSequence[1].Manufacturer"]
    assert (line.done, line.reason) == inside
    line = lines["AnatomicRegionSequence[2].Manufacturer"]
    assert line.done == "removed"


def test_what_the_rules_do_not_explain_is_said(ct, tried):
    _, lines = tried(ct(Manufacturer="Mustermann GmbH"), DEMO)
    assert lines["Manufacturer"].done == "replaced"
    assert lines["Manufacturer"].reason.endswith(
        "; but the value repeats what identifies, or is not of its kind"
    )


def test_empty_stays_empty(ct, tried):
    _, lines = tried(ct(AccessionNumber=""))
    assert (lines["AccessionNumber"].done, lines["AccessionNumber"].what) == ("kept", "empty as before")


@pytest.mark.parametrize(
    ("sop_class", "reason", "option"),
    [
        ("1.2.840.10008.5.1.4.1.1.6.1", "ultrasound", "clean_pixel_data"),
        ("1.2.840.10008.5.1.4.1.1.88.11", "structured-report", "clean_structured_content"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "presentation-state", "clean_graphics"),
    ],
)
def test_quarantine_has_its_reason_and_the_option_for_it(ct, tried, sop_class, reason, option):
    found, lines = tried(ct(SOPClassUID=sop_class))
    assert (found.outcome, found.reason, lines) == ("quarantined", reason, {})
    assert found.message
    assert found.advice.startswith(f"The option {option} (")
    found, _ = tried(b"no DICOM")
    assert (found.reason, found.advice) == ("not-part10", "")
    on = Policy(name="on", version=1, options=frozenset([option]))
    found, _ = tried(ct(SOPClassUID=sop_class), on)
    assert found.advice == ""


def test_values_can_be_hidden(canaries, tried):
    data, planted = canaries(seed=3)
    found, _ = tried(data, SourceApplicationEntityTitle="METACANARY")
    said = msgspec.json.encode(found)
    shown = [label for label, value in planted.items() if value in said]
    assert len(shown) > 2000
    found, _ = tried(data, values=False, SourceApplicationEntityTitle="METACANARY")
    said = msgspec.json.encode(found)
    assert len(found.lines) > 3000
    assert [label for label, value in planted.items() if value in said] == []
    assert b"METACANARY" not in said
    assert b"CANARY CREATOR" not in said


def test_text_is_in_the_object_s_characters_and_moves_no_terminal(ct, tried):
    data = ct(
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Müller^Jürgen",
        StudyDescription="\x1b[2Jx\ny" + "z" * 9000,
    )
    _, lines = tried(data)
    assert lines["PatientName"].before == "Müller^Jürgen"
    text = lines["StudyDescription"].before
    assert text.startswith("\\x1b[2Jx\\nyzzz")
    assert text.isprintable()
    assert len(text) < LONGEST + 10
    _, lines = tried(ct(SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="Yamada^Tarou=山田^太郎"))
    assert lines["PatientName"].before == "Yamada^Tarou=山田^太郎"


def test_numbers_of_every_byte_order(ct, tried):
    for syntax in ("explicit", "big", "implicit"):
        data = ct()
        data.add_new(0x00189074, "DT", "20240101")
        data.add_new(0x00189089, "FD", [0.5, -1.0, 2.0])
        data.add_new(0x00280009, "AT", 0x00181063)
        data.add_new(0x00189220, "FD", 1234567.5)
        data.add_new(0x00189258, "UL", 862400001)
        _, lines = tried(data, syntax=syntax)
        assert lines["DiffusionGradientOrientation"].before == "0.5\\-1\\2"
        assert lines["ASLPulseTrainDuration"].before == "862400001"
        assert lines["FrameAcquisitionDuration"].after == "1234567.5"
        assert lines["FrameIncrementPointer"].after == "(0018,1063)"


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small_RLE.dcm", "rtplan.dcm", "rtstruct.dcm", "emri_small.dcm", "UN_sequence.dcm"],
)
@pytest.mark.parametrize("policy", ["basic", "demo", "strict"])
def test_real_files(key, name, policy):
    file = Path(get_testdata_file(name))
    found = trial(file, key=key, policy=policy_named(policy))
    result = anonymize(file, key=key, policy=policy_named(policy))
    assert (found.outcome == "anonymized") == isinstance(result, Anonymized)
    if isinstance(result, Anonymized):
        after = [path for path, _ in leaves(pydicom.dcmread(BytesIO(result.content)))]
        assert [
            line.path for line in found.lines if line.after is not None and "file meta" not in line.path
        ] == after
    else:
        assert found.reason == result.reason


def item(kind, number):
    made = Dataset()
    made.add_new(0x0040A040, "CS", kind)
    made.add_new(0x0040A160, "UT", f"text {number}")
    return pydicom.dcmread(BytesIO(_part(made)), force=True)


def _part(made):
    stream = BytesIO()
    pydicom.dcmwrite(stream, made, implicit_vr=False, little_endian=True)
    return stream.getvalue()


@given(st.lists(st.tuples(st.sampled_from(["TEXT", "NUM", "CODE"]), st.booleans()), max_size=8))
def test_items_are_paired_with_what_came_of_them(kinds):
    """Whichever items were removed, as long as their neighbours are of another kind or all of a kind went."""
    old = [item(kind, number) for number, (kind, _) in enumerate(kinds)]
    new = [one for one, (_, stays) in zip(old, kinds, strict=True) if stays]
    pairs = list(aligned(old, new))
    assert [one for one, _ in pairs] == old
    assert [one for _, one in pairs if one is not None] == new
    for before, after in pairs:
        assert after is None or before[0x0040A040].value == after[0x0040A040].value


def test_items_that_nothing_came_from_are_added():
    one, two = item("TEXT", 1), item("TEXT", 2)
    assert list(aligned([], [one])) == [(None, one)]
    assert list(aligned([one, two], [two])) == [(one, two), (two, None)]
    number = item("NUM", 1)
    assert list(aligned([number, two], [two])) == [(number, None), (two, two)]
