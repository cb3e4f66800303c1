"""What an object says of its anonymization."""

from __future__ import annotations

from io import BytesIO
from typing import get_args

import pydicom
import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.method import with_method
from agents.anonymization.outcome import Anonymized
from agents.anonymization.policy.document import Policy
from agents.anonymization.standard.codes import PolicyOption
from gateway.part10 import Malformed

CODES = {
    "clean_graphics": "113103",
    "clean_structured_content": "113104",
    "clean_descriptors": "113105",
    "retain_longitudinal_full_dates": "113106",
    "retain_longitudinal_modified_dates": "113107",
    "retain_patient_characteristics": "113108",
    "retain_device_identity": "113109",
    "retain_uids": "113110",
    "retain_safe_private": "113111",
    "retain_institution_identity": "113112",
}
"""PS3.16, CID 7050, typed from the standard."""


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


def policy(*options):
    return Policy(name="tried", version=1, options=frozenset(options))


def codes_of(data):
    return [item.CodeValue for item in data.DeidentificationMethodCodeSequence]


@pytest.mark.parametrize("option", sorted(CODES))
def test_each_option_has_its_code_where_it_is_applied(ct, encode, key, option):
    out = opened(anonymize(encode(ct()), key=key, policy=policy(option)))
    assert codes_of(out) == ["113100", CODES[option]]
    assert {item.CodingSchemeDesignator for item in out.DeidentificationMethodCodeSequence} == {"DCM"}


def test_all_options_have_all_codes_but_those_of_what_was_not_done(ct, encode, key):
    """Nothing was done to the pixels and faces of this object."""
    out = opened(anonymize(encode(ct()), key=key, policy=policy(*get_args(PolicyOption))))
    assert codes_of(out) == ["113100", *sorted(CODES.values())]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("clean_descriptors", "REMOVED"),
        ("retain_longitudinal_full_dates", "UNMODIFIED"),
        ("retain_longitudinal_modified_dates", "MODIFIED"),
    ],
)
def test_what_became_of_dates_is_said(ct, encode, key, option, said):
    out = opened(anonymize(encode(ct()), key=key, policy=policy(option)))
    assert out.LongitudinalTemporalInformationModified == said
    assert out.PatientIdentityRemoved == "YES"


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
def test_what_decided_later_is_said_too(ct, encode, key, syntax):
    result = anonymize(encode(ct(), syntax), key=key, policy=policy())
    after = opened(
        Anonymized(
            **{name: getattr(result, name) for name in result.__struct_fields__}
            | {"output": with_method(result.content, policy(), ("detector 5", "codec\\6"))}
        )
    )
    before = opened(result)
    label = policy().label_with(("detector 5", "codec\\6"))
    assert list(after.DeidentificationMethod) == [f"CHIPS {label}, PS3.15 2026c", "detector 5", "codec/6"]
    del before.DeidentificationMethod
    del after.DeidentificationMethod
    assert before == after
    assert label != policy().label
    assert label.partition("+")[0] == policy().label.partition("+")[0]


def test_only_an_anonymized_object_is_said_to_be_one(ct, encode):
    with pytest.raises(Malformed):
        with_method(encode(ct()), policy(), ("detector 5",))
