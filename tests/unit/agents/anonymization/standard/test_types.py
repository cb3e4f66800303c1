"""The types of attributes are those of highdicom's tables."""

from __future__ import annotations

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, XRayAngiographicImageStorage

from agents.anonymization.standard.types import load_types
from tests.unit.agents.anonymization.standard.making_types import TARGET, made


def test_the_file_is_what_highdicom_makes():
    assert TARGET.read_text(encoding="utf-8") == made(), (
        "types.json differs: python -m tests.unit.agents.anonymization.standard.making_types"
    )


@pytest.mark.parametrize(
    ("sop_class", "keyword", "kind"),
    [
        (CTImageStorage, "ContentDate", "2C"),
        (CTImageStorage, "DeviceSerialNumber", "3"),
        (EnhancedCTImageStorage, "DeviceSerialNumber", "1"),
        (EnhancedCTImageStorage, "AcquisitionDateTime", "1C"),
        (XRayAngiographicImageStorage, "ReferencedImageSequence", "1C"),
    ],
)
def test_types_follow_the_iod(sop_class, keyword, kind):
    types = load_types()
    assert types.type_of(types.iod_of(sop_class), tag_for_keyword(keyword), None) == kind


def test_items_have_types_of_their_own():
    types = load_types()
    author, institution = (tag_for_keyword(name) for name in ("AuthorObserverSequence", "InstitutionName"))
    assert types.type_of("ct-image", institution, author) == "2"
    assert types.type_of("ct-image", institution, None) == "3"


def test_a_class_that_is_not_known_has_no_iod():
    assert load_types().iod_of("1.2.3") is None
