# ruff: noqa: RUF001 - names in other scripts

from __future__ import annotations

import pytest

from agents.anonymization.text.folding import plain, visible
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.naming import Naming
from tests.unit.agents.anonymization.text.known_values import found, known


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("PID-0012345", "PID-0012345"),
        ("PID-0012345", "pid0012345"),
        ("PID-0012345", "PID12345"),
        ("PID-0012345", "0012345"),
        ("PID-0012345", "12345"),
        ("PID-0012345", "00012345"),
        ("PID-0012345", "P I D 0 0 1 2 3 4 5"),
        ("00123456", "123456"),
        ("123456", "000123456"),
        ("123456", "12-34-56"),
        ("12-34-56", "123456"),
        ("12.345.678/9", "123456789"),
        ("12345", "12345"),
        ("98279", "0098279"),
        ("0010", "0010"),
        ("123", "123"),
        ("A12", "A12"),
        ("A12-7", "A127"),
        ("4MR1", "4MR1"),
        ("MUSTERMANN", "mustermann"),
        ("SMITH_1971", "Smith"),
        ("11-05-25-142825", "142825"),
        ("123456", "１２３４５６"),
    ],
)
def test_ids_are_found(identifier, text):
    for values in (known(id=identifier), known(accession=identifier)):
        assert found(values, text) == plain(visible(text))
        assert values.occur_in(f"no. {text};".encode())


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("1", "1 of 1"),
        ("12", "12 mm"),
        ("123", "1234"),
        ("12345", "123 45"),
        ("12345", "512345"),
        ("12345", "1234"),
        ("T12", "T 12"),
        ("BRAIN", "Brain"),
        ("4MR1", "MR 1"),
        ("id", "id"),
    ],
)
def test_other_numbers_are_not(identifier, text):
    assert found(known(id=identifier), text) is None
    assert not known(id=identifier).occur_in(text.encode())


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("PX12345678", "0PX123456787"),
        ("PX12345678", "aPX 12345678b"),
        ("1234567", "9-12345678"),
        ("7A1234", "ct7a1234x"),
    ],
)
def test_long_ids_are_found_whatever_stands_around_them(identifier, text):
    assert known(id=identifier).occur_in(text.encode())
    assert found(known(id=identifier), text) is not None


def test_an_id_of_an_examination_counts_with_a_digit_only():
    assert found(known(study_id="ANGIO"), "Angio") is None
    assert found(known(study_id="ANGIO4711"), "angio 4711") == "angio 4711"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Springfield", "Springfield"),
        ("SMGHS protocol", "SMGHS"),
        ("St. Mary's", "Mary"),
        ("hospital", None),
        ("General", None),
    ],
)
def test_institutions(text, expected):
    assert found(known(institution="St. Mary's General Hospital of Springfield"), text) == expected
    assert found(known(institution="Saint Mary Hospital, SMH"), "SMH") == "SMH"


def test_who_keeps_a_coding_scheme_is_no_institution():
    values = KnownValues.of_elements([Naming(0x00080110, 0x00080116, b"SNOMED International")])
    assert not values.occur_in(b"SNOMED CT")


def test_makers_are_no_institutions():
    values = known(institution="TOSHIBA Medical Systems")
    assert not values.occur_in(b"TOSHIBA")
    assert not known(institution="Philips Healthcare").occur_in(b"Philips Medical Systems")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hauptstr. 12", "Hauptstr. 12"),
        ("80331 München", "80331 München"),
        ("MUENCHEN", "MUENCHEN"),
        ("12", None),
    ],
)
def test_addresses(text, expected):
    assert found(known(address="Hauptstr. 12, 80331 München"), text) == expected


@pytest.mark.parametrize("text", ["+49 89 1234-567", "089 1234567", "0891234567", "1234567", "123 45 67"])
def test_telephone_numbers(text):
    values = known(telephone="+49 (0)89 1234-567")
    assert (
        text.replace(" ", "")
        .replace("-", "")
        .endswith(found(values, text).replace(" ", "").replace("-", "")[-7:])
    )
