from __future__ import annotations

from io import BytesIO

import pydicom
import pytest
from pydicom.uid import UID

from agents.anonymization.actions import Action, decide
from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized
from agents.anonymization.policy import BASIC, DEMO
from agents.anonymization.table import load_table


def survivors(content, planted):
    return [
        label
        for label, value in planted.items()
        if any(value.decode().encode(form) in content for form in ("ascii", "utf-16-le", "utf-16-be"))
    ]


def kept_by(policy):
    return {tag for tag in load_table().rules if decide(tag, policy) is Action.KEEP}


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


def test_the_table_is_whole():
    rules = load_table().rules
    assert len(rules) == 652
    assert {rule.action for rule in rules.values()} == {
        *("D", "Z", "X", "U", "X/Z", "X/D", "X/Z/D", "Z/D", "X/Z/U*"),
    }
    assert kept_by(BASIC) == set()
    assert kept_by(DEMO) == {
        *(0x00100040, 0x00101010, 0x00101020, 0x00101030, 0x00102203),
        *(0x00100043, 0x00100046, 0x00102161, 0x001021A0, 0x001021C0),
    }


def test_every_row_is_acted_on(canaries, encode, key):
    """Removed is removed, replaced is replaced: seen by pydicom, at the top and nested."""
    data, _ = canaries(seed=2)
    source = pydicom.dcmread(BytesIO(encode(data)))
    out = pydicom.dcmread(BytesIO(anonymize(encode(data), key=key, policy=BASIC).content))
    seen = 0
    for before, after in ((source, out), (source[0x52009229][0], out[0x52009229][0])):
        for tag, rule in load_table().rules.items():
            if tag not in before:
                continue
            seen += 1
            if rule.action in ("X", "C") or tag == 0x00081110:
                assert tag not in after, rule.keyword
            elif rule.action in ("Z", "X/Z") and not (tag == 0x00100010 and after is out):
                assert after[tag].is_empty, rule.keyword
            elif rule.vr == "UI":
                assert UID(after[tag].value).is_valid, rule.keyword
                assert after[tag].value.startswith("2.25."), rule.keyword
            else:
                assert tag in after, rule.keyword
                assert not after[tag].is_empty, rule.keyword
                assert after[tag].value != before[tag].value, rule.keyword
        assert all(not element.tag.is_private for element in after)
        assert all(element.tag.group >> 8 not in (0x50, 0x60) for element in after)
    assert seen > 1290
