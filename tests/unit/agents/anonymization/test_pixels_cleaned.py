"""Pixels cleaned on the whole way: an object without its text says what was done, and by what."""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

import numpy as np
import pydicom
import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.installed import installed_tools
from agents.anonymization.outcome import Anonymized, Quarantine, Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.ready import policy_named
from agents.anonymization.tools import NO_TOOLS, Tools
from tests.canaries.checks import KEY
from tests.canaries.classes import IMAGES
from tests.canaries.classes_more import OBJECTS
from tests.canaries.finding import Finder
from tests.canaries.person import make_person
from tests.canaries.planting import words_of
from tests.canaries.words import Words
from tests.canaries.writing import written
from tests.unit.agents.anonymization.pixels.drawn import Kind, by_pydicom, drawn, stored_as

PIXELS = Policy(name="pixels", version=1, options=frozenset(["clean_pixel_data"]))
GREY = Kind()
PERSON = {
    "PatientName": "Mustermann^Erika",
    "PatientID": "PID-12345",
    "SOPInstanceUID": "1.2.3.4.1",
    "StudyInstanceUID": "1.2.3.4.2",
    "SeriesInstanceUID": "1.2.3.4.3",
}
DECIDES = {"pdf": "pypdfium2", "us": "PP-OCRv5", "sc": "PP-OCRv5", "dx": "PP-OCRv5"}


class Cleaned(NamedTuple):
    content: bytes
    tools: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def tools():
    return installed_tools(PIXELS)


def codes_of(data):
    return [item.CodeValue for item in data.DeidentificationMethodCodeSequence]


def test_a_secondary_capture_comes_out_and_says_by_what(key, tools):
    drawing = drawn()
    source = by_pydicom(drawing, GREY, pydicom.uid.RLELossless, BurnedInAnnotation="YES", **PERSON)
    found = anonymize(source, key=key, policy=PIXELS, tools=tools)
    assert isinstance(found, Anonymized), found
    out = pydicom.dcmread(BytesIO(found.content))
    assert len(np.unique(out.pixel_array[drawing.letters[0]])) == 1
    assert out.BurnedInAnnotation == "NO"
    assert out.ImageType[0] == "DERIVED"
    assert codes_of(out) == ["113100", "113101"]
    assert found.tools == (tools.text_finder.name, *found.tools[1:])
    assert list(out.DeidentificationMethod) == [f"CHIPS {found.policy}, PS3.15 2026c", *found.tools]
    assert found.policy == PIXELS.label_with(found.tools) != PIXELS.label
    assert out.SOPInstanceUID == out.file_meta.MediaStorageSOPInstanceUID
    assert out.SourceImageSequence[0].ReferencedSOPInstanceUID != out.SOPInstanceUID
    assert found.transfer_syntax_uid == out.file_meta.TransferSyntaxUID
    assert not any(value.encode() in found.content for value in PERSON.values())
    assert anonymize(source, key=key, policy=PIXELS, tools=tools) == found


@pytest.mark.parametrize("kind", ["us", "sc", "dx", "sr", "pdf", "pr"])
def test_with_its_tools_a_policy_lets_out_what_it_cleans(kind):
    words = Words(61)
    person = make_person(words)
    source = written({**OBJECTS, **IMAGES}[kind](words, person))
    search = Finder(words_of(person), {"born": person.born, "seen": person.seen})
    research = policy_named("research")
    found = anonymize(source, key=KEY, policy=research, tools=installed_tools(research))
    assert isinstance(found, Anonymized), found
    assert len(search.find(source)) > 10
    assert search.find(found.content) == []
    assert [name.split()[0] for name in found.tools] == ([DECIDES[kind]] if kind in DECIDES else [])


def test_where_no_tool_decided_none_is_named(ct, encode, key, tools):
    found = anonymize(encode(ct()), key=key, policy=PIXELS, tools=tools)
    assert isinstance(found, Anonymized), found
    out = pydicom.dcmread(BytesIO(found.content))
    assert found.tools == ()
    assert out.DeidentificationMethod == f"CHIPS {PIXELS.label}, PS3.15 2026c"
    assert codes_of(out) == ["113100"]


def test_without_the_tool_it_stays_in(key):
    found = anonymize(stored_as(drawn(), GREY, **PERSON), key=key, policy=PIXELS, tools=NO_TOOLS)
    assert isinstance(found, Quarantine)
    assert found.reason == "pixels-not-cleaned"


def cleaned_by(key, change):
    """Anonymize with a cleaner that does something to the object."""

    def clean(content, _policy):
        data = pydicom.dcmread(BytesIO(content))
        change(data)
        stream = BytesIO()
        data.save_as(stream)
        return Cleaned(stream.getvalue())

    source = stored_as(drawn(), GREY, **PERSON)
    return anonymize(source, key=key, policy=PIXELS, tools=Tools(clean_pixels=clean))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("InstitutionName", "Hospital"),
        ("SOPInstanceUID", "1.2.3.4.1"),
        ("ImageType", ["DERIVED", "PRIMARY", "MUSTERMANN"]),
        ("PatientID", "PID-12345"),
    ],
)
def test_what_a_cleaner_writes_is_looked_at_again(key, name, value):
    assert isinstance(cleaned_by(key, lambda data: None), Anonymized)
    found = cleaned_by(key, lambda data: setattr(data, name, value))
    assert isinstance(found, Quarantine)
    assert found.reason == "not-verified"


def test_what_it_refuses_stays_in_with_its_reason(key):
    def clean(_content, _policy):
        raise Refusal("text-left", "Text was still found after cleaning.")

    source = stored_as(drawn(), GREY, **PERSON)
    found = anonymize(source, key=key, policy=PIXELS, tools=Tools(clean_pixels=clean))
    assert found == Quarantine(reason="text-left", message=found.message, policy=PIXELS.label)
