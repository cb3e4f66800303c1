from __future__ import annotations

from io import BytesIO

import msgspec
import pydicom
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage

from agents.anonymization.anonymize import anonymize
from agents.anonymization.kinds import directs_readers
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.ready import BASIC, DEMO
from agents.anonymization.policy.rules import Action, Rules
from agents.anonymization.standard.table import load_table

SQ_KEPT = 0x52009229


def survivors(content, planted):
    return [
        label
        for label, value in planted.items()
        if any(value.decode().encode(form) in content for form in ("ascii", "utf-16-le", "utf-16-be"))
    ]


def kept_by(policy):
    return {tag for tag in load_table().rules if decide(tag, policy) is Action.KEEP}


def decide(tag, policy):
    return Rules(policy, CTImageStorage).decide(tag).action


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
@pytest.mark.parametrize("policy", [BASIC, DEMO], ids=lambda policy: policy.name)
def test_nothing_planted_survives(canaries, encode, key, policy, syntax):
    data, planted = canaries(seed=1, leave=kept_by(policy))
    assert len(planted) > 3000
    source = encode(
        data,
        syntax,
        SourceApplicationEntityTitle="METACANARY",
        PrivateInformationCreatorUID="1.2.3.888.1",
        PrivateInformation=b"MetaPrivate",
    )
    planted |= {
        "meta": b"METACANARY",
        "meta creator": b"1.2.3.888.1",
        "meta private": b"MetaPrivate",
        "preamble": b"preamble-Mustermann",
        "uid": b"1.2.3.4.",
    }
    if syntax != "deflated":
        assert set(survivors(source, planted)) == set(planted), "the search must find what is there"
    result = anonymize(source, key=key, policy=policy)
    assert isinstance(result, Anonymized), result
    assert survivors(result.content, planted) == []
    assert result.content[:128] == bytes(128)


CODES = [
    tag
    for tag, entry in sorted(DicomDictionary.items())
    if entry[0] == "CS" and tag >> 16 > 7 and decide(tag, DEMO) is Action.KEEP
]
"""Every code string that some policy keeps."""


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
@pytest.mark.parametrize("policy", [BASIC, DEMO], ids=lambda policy: policy.name)
def test_a_name_that_codes_repeat_survives_in_none(ct, encode, key, policy, syntax):
    planted = [tag for tag in CODES if not directs_readers(tag)]
    assert len(planted) > 600
    data, nested = ct(), Dataset()
    with pydicom.config.disable_value_validation():
        for tag in planted:
            for target, code in ((data, "MUSTERMANN"), (nested, "HEAD\\ERIKA_M\\PID-12345")):
                target.add_new(tag, "CS", code)
        data.add_new(SQ_KEPT, "SQ", Sequence([nested]))
    source = encode(data, syntax)
    assert source.count(b"MUSTERMANN") == len(planted)
    result = anonymize(source, key=key, policy=policy)
    assert isinstance(result, Anonymized), result
    assert result.content.count(b"HEAD\\ANONYMIZED\\ANONYMIZED") > 600
    for name in (b"MUSTERMANN", b"ERIKA", b"PID-12345"):
        assert name not in result.content
        assert name not in msgspec.json.encode([result.attributes, result.modality])
    out = pydicom.dcmread(BytesIO(result.content))
    assert out.Modality == result.modality == "OT"
    assert result.attributes.body_part_examined is None


@pytest.mark.parametrize("tag", [tag for tag in CODES if directs_readers(tag)], ids=lambda tag: f"{tag:08x}")
def test_a_name_in_a_code_that_directs_readers_keeps_the_object_in(ct, encode, key, tag):
    data = ct()
    with pydicom.config.disable_value_validation():
        data.add_new(tag, "CS", "MUSTERMANN")
        result = anonymize(encode(data), key=key, policy=BASIC)
    assert isinstance(result, Quarantine), f"{tag:08x}"
    assert "MUSTERMANN" not in result.message


def test_the_table_is_whole():
    rules = load_table().rules
    assert len(rules) == 652
    assert {rule.action for rule in rules.values()} == {
        *("D", "Z", "X", "U", "X/Z", "X/D", "X/Z/D", "Z/D", "X/Z/U*"),
    }


def test_every_row_is_acted_on(canaries, encode, key):
    """Removed is removed, replaced is replaced: seen by pydicom, at the top and nested."""
    data, _ = canaries(seed=2)
    source = pydicom.dcmread(BytesIO(encode(data)))
    out = pydicom.dcmread(BytesIO(anonymize(encode(data), key=key, policy=BASIC).content))
    rules = Rules(BASIC, CTImageStorage)
    seen = 0
    for before, after, parent in (
        (source, out, None),
        (source[SQ_KEPT][0], out[SQ_KEPT][0], SQ_KEPT),
    ):
        for tag, rule in load_table().rules.items():
            if tag not in before:
                continue
            seen += 1
            match rules.decide(tag, parent).action:
                case Action.REMOVE:
                    assert tag not in after, rule.keyword
                case Action.EMPTY:
                    assert after[tag].is_empty, rule.keyword
                case Action.UID:
                    assert UID(after[tag].value).is_valid, rule.keyword
                    assert after[tag].value.startswith("2.25."), rule.keyword
                case _:
                    assert not after[tag].is_empty, rule.keyword
                    assert after[tag].value != before[tag].value, rule.keyword
        assert all(not element.tag.is_private for element in after)
        assert all(element.tag.group >> 8 not in (0x50, 0x60) for element in after)
    assert seen > 1290
