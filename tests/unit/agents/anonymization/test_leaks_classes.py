"""Objects of many classes, the table in them, in every syntax: out without a leak, or in with a reason."""

from __future__ import annotations

import pytest

from agents.anonymization.text.documents import clean_document
from agents.anonymization.tools import Tools
from tests.canaries.checks import CLEAN, NOTHING, RESEARCH, Verdict, judged, policy_with
from tests.canaries.classes import IMAGES
from tests.canaries.classes_more import OBJECTS
from tests.canaries.table_objects import about_class
from tests.canaries.writing import COMPRESSED, NATIVE

STAY = {
    "cr": "burned-in-unknown",
    "us": "ultrasound",
    "us frames": "ultrasound",
    "sc": "secondary-capture",
    "photograph": "photograph",
    "sr": "structured-report",
    "pdf": "encapsulated-document",
    "cda": "encapsulated-document",
    "ecg": "unlisted-class",
    "pr": "presentation-state",
}
"""Why objects of a class stay in by the Basic profile, which cleans neither pixels nor texts."""


SOME = "retain_longitudinal_full_dates", "retain_device_identity", "retain_patient_characteristics"


def expected(kind: str) -> Verdict:
    return Verdict(STAY[kind], [], []) if kind in STAY else NOTHING


@pytest.mark.parametrize("kind", [*IMAGES, *OBJECTS])
def test_nothing_survives_in_any_class_but_what_options_retain(kind):
    content, canaries = about_class(kind, 31)
    assert len(canaries) > 3000
    for options in ((), SOME):
        assert judged(content, canaries, policy_with(*options)) == expected(kind), options


@pytest.mark.parametrize("kind", ["sr", "pdf", "cda", "pr"])
def test_reports_documents_and_drawings_come_out_clean(kind):
    content, canaries = about_class(kind, 31)
    tools = Tools(clean_document=clean_document)
    for options in (CLEAN, RESEARCH):
        assert judged(content, canaries, policy_with(*options), tools) == NOTHING


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED])
def test_nothing_survives_in_any_syntax(syntax):
    kind = "xa" if syntax == "jpeg" else "mr"
    content, canaries = about_class(kind, 33, syntax)
    assert judged(content, canaries, policy_with()) == NOTHING
