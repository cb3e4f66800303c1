from __future__ import annotations

import itertools
import re
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID, UID_dictionary

from gateway.identity import (
    ProjectKey,
    date_shift_days,
    instance_key,
    is_well_known,
    patient_of,
    patient_pseudonym,
    pseudonymous_uid,
    series_key,
    study_key,
)
from schemas.identity import Key

A = ProjectKey(project="default", secret=bytes(range(32)))
B = ProjectKey(project="default", secret=bytes(range(1, 33)))
UIDS = st.from_regex(r"1\.2\.(0|[1-9][0-9]{0,6})(\.(0|[1-9][0-9]{0,6})){0,6}", fullmatch=True)


@given(UIDS)
def test_pseudonymous_uids_are_valid_and_of_one_length(uid):
    made = pseudonymous_uid(A, uid)
    assert UID(made).is_valid
    assert len(made) == 44
    assert made.startswith("2.25.")
    assert int(made[5:]) < 2**128


@given(st.sets(UIDS, min_size=2, max_size=30))
def test_different_uids_stay_different_and_none_is_a_prefix(uids):
    made = sorted(pseudonymous_uid(A, uid) for uid in uids)
    assert len(set(made)) == len(uids)
    assert not any(b.startswith(a) for a, b in itertools.pairwise(made))


@given(UIDS)
def test_two_keys_share_nothing_and_one_key_repeats(uid):
    assert pseudonymous_uid(A, uid) == pseudonymous_uid(A, uid + "\0") != pseudonymous_uid(B, uid)
    assert series_key(A, uid) != series_key(B, uid)


@given(UIDS)
def test_domains_are_separate(uid):
    keys = [study_key(A, uid), series_key(A, uid), instance_key(A, uid), patient_pseudonym(A, "", uid)]
    assert len(set(keys)) == 4
    for key in keys:
        msgspec.convert(key, Key)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_patients_are_told_apart_by_issuer_and_id(issuer, patient, other_issuer, other):
    same = (issuer.strip(" \0"), patient.strip(" \0")) == (other_issuer.strip(" \0"), other.strip(" \0"))
    assert (patient_pseudonym(A, issuer, patient) == patient_pseudonym(A, other_issuer, other)) == same


def test_issuer_and_id_do_not_run_together():
    assert patient_pseudonym(A, "AB", "C") != patient_pseudonym(A, "A", "BC")


def test_objects_without_a_patient_id_are_not_one_patient():
    assert (
        patient_of(A, "H", " ", "1.2.3") == patient_of(A, "", "", "1.2.3 ") != patient_of(A, "H", "", "1.2.4")
    )
    assert patient_of(A, "H", "4711", "1.2.3") == patient_of(A, "H", "4711", "1.2.4")
    assert patient_of(A, "H", "4711", "1.2.3") == patient_pseudonym(A, "H", "4711")


@given(st.text(max_size=20), st.text(max_size=20), st.integers(30, 3650))
def test_a_patients_dates_move_by_one_number_within_bounds(issuer, patient, at_most):
    days = date_shift_days(A, issuer, patient, "1.2.3", at_most)
    assert 1 <= days <= at_most
    if patient.strip(" \0"):
        assert days == date_shift_days(A, issuer + " ", patient, "1.2.4", at_most)


def test_patients_and_projects_move_by_numbers_of_their_own():
    days = {date_shift_days(A, "I", str(number), "1.2.3", 3650) for number in range(200)}
    assert len(days) > 180
    assert min(days) < 200
    assert max(days) > 3450
    studies = {date_shift_days(A, "", "", f"1.2.{number}", 3650) for number in range(20)}
    assert len(studies) > 15
    assert date_shift_days(B, "I", "1", "1.2.3", 3650) != date_shift_days(A, "I", "1", "1.2.3", 3650)


def test_a_patient_whose_id_could_not_be_decoded_has_a_pseudonym():
    assert re.fullmatch("[0-9a-f]{32}", patient_pseudonym(A, "", "\udcff"))


def test_well_known_uids_stay():
    assert len(UID_dictionary) > 400
    for uid in UID_dictionary:
        assert is_well_known(uid)
        assert pseudonymous_uid(A, uid) == uid


@pytest.mark.parametrize(
    "imports", ["", "import pynetdicom; ", "import gateway.identity; import pynetdicom; "]
)
def test_what_is_well_known_does_not_depend_on_who_was_imported(imports):
    code = f"{imports}from gateway.identity import is_well_known; from pydicom.uid import UID_dictionary; "
    code += "import pynetdicom; print(all(map(is_well_known, UID_dictionary)))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "True\n"


def test_what_merely_lies_under_the_standards_root_is_not_well_known():
    assert pseudonymous_uid(A, "1.2.840.10008.19640229.1").startswith("2.25.")


def test_nothing_is_made_of_nothing():
    assert pseudonymous_uid(A, " \0") == ""


def test_values_are_pinned():
    # What is in archives under a key can't be given another pseudonym by a later release.
    assert pseudonymous_uid(A, "1.2.3.4") == "2.25.302161202166482382406886720310798384232"
    assert series_key(A, "1.2.3.4") == "7c9390b768d3a5bfa18d72158ae29b80"
    assert patient_pseudonym(A, "HOSPITAL", "4711") == "ba30213b876f7c6244db0a2d08c6ce9d"
    assert date_shift_days(A, "HOSPITAL", "4711", "1.2.3", 365) == 7


def test_the_secret_is_not_shown():
    assert "0102" not in repr(A)
    assert "\\x01" not in repr(A)
    assert "\\x01" not in str([A])


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        ProjectKey(project="default", secret=b"short")
