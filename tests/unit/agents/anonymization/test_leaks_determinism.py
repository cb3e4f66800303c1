"""The same bytes, policy and key give the same bytes in any process; another key shares nothing."""

from __future__ import annotations

import re

import msgspec
from pydicom.uid import UID_dictionary

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from gateway.identity import ProjectKey
from tests.canaries.checks import KEY, RESEARCH, anonymized, policy_with
from tests.canaries.digests import digests, digests_elsewhere, objects

OTHER = ProjectKey(project="default", secret=bytes(range(100, 132)))
MADE = re.compile(rb"(?<![0-9.])[12](?:\.[0-9]+){4,}|[0-9a-f]{32}")
"""UIDs and pseudonyms."""


def test_another_process_gives_the_same_bytes():
    environment = {"PYTHONHASHSEED": "4711", "TZ": "America/St_Johns", "LC_ALL": "C"}
    here = [digests(options) for options in ((), RESEARCH)]
    assert digests_elsewhere([(), RESEARCH], environment) == here
    for outcomes in here:
        out = [outcome for _, outcome in outcomes.values() if re.fullmatch("[0-9a-f]{64}", outcome)]
        # What was deflated comes out as what was not
        assert len(set(out)) == len(out) - 1 > 12


def test_two_runs_give_the_same_bytes(tmp_path):
    for name, content in objects():
        (tmp_path / "a.dcm").write_bytes(content)
        one, two = (
            anonymize(source, key=KEY, policy=policy_with()) for source in (content, tmp_path / "a.dcm")
        )
        if isinstance(two, Anonymized):
            two = msgspec.structs.replace(two, output=two.content)
        assert one == two, name


def test_what_anonymized_bytes_give_is_anonymous_as_well():
    content = objects()[0][1]
    once = anonymized(content)
    assert anonymized(once.content).content != once.content
    assert anonymized(once.content).patient != once.patient


def test_another_key_shares_no_uid_and_no_pseudonym():
    registered = {uid.encode() for uid in UID_dictionary}
    compared = 0
    for name, content in objects():
        results = [anonymize(content, key=key, policy=policy_with()) for key in (KEY, OTHER)]
        if any(isinstance(result, Quarantine) for result in results):
            continue
        one, two = ({*MADE.findall(result.content)} - registered for result in results)
        # Our own implementation class UID
        assert len(one & two) <= 1, name
        assert len(one - two) >= 4, name
        for field in ("patient", "study", "series", "instance"):
            assert getattr(results[0], field) != getattr(results[1], field)
        compared += 1
    assert compared > 12


def test_objects_of_one_patient_stay_together():
    results = [
        anonymize(content, key=KEY, policy=policy_with())
        for name, content in objects()
        if "table" not in name
    ]
    out = [result for result in results if not isinstance(result, Quarantine)]
    assert len({result.patient for result in out}) == 1
    assert len({result.instance for result in out}) == len(out) > 8
