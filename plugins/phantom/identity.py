"""A synthetic person and hospital for a series, so that anonymization has something to remove. Pure.

Every identifying value holds the word CANARY, so that a leak is found by searching for it.
"""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

CANARY = "CANARY"
_GIVEN = ("Ada", "Bela", "Chidi", "Dana", "Emre", "Freya", "Goro", "Hana")
_PRIVATE_GROUP = 0x0099


def identify(dataset: Dataset, seed: int) -> None:
    """Put the identity of `seed` into `dataset`: name, numbers, dates, places, people, private elements."""
    given = _GIVEN[seed % len(_GIVEN)]
    values: dict[str, Any] = {
        "PatientName": f"{CANARY}^{given}^{seed}",
        "PatientID": f"{CANARY}-PID-{seed}",
        "IssuerOfPatientID": f"{CANARY}-ISSUER",
        "PatientBirthDate": f"19{30 + seed % 60:02d}0{1 + seed % 9}1{seed % 9}",
        "PatientSex": "FM"[seed % 2],
        "PatientAge": f"{20 + seed % 60:03d}Y",
        "PatientAddress": f"{CANARY} Street {seed % 100}",
        "PatientTelephoneNumbers": f"{CANARY}-555-{seed % 10_000:04d}",
        "AccessionNumber": f"{CANARY}A{seed % 10_000_000}",
        "StudyID": f"{CANARY}S{seed % 1_000_000}",
        "InstitutionName": f"{CANARY} General Hospital",
        "InstitutionAddress": f"1 {CANARY} Square",
        "StationName": f"{CANARY}-STATION",
        "ReferringPhysicianName": f"{CANARY}^Referrer",
        "OperatorsName": f"{CANARY}^Operator",
        "DeviceSerialNumber": f"{CANARY}-{seed}",
        "StudyDate": "20260102",
        "SeriesDate": "20260102",
        "AcquisitionDate": "20260102",
        "ContentDate": "20260102",
        "StudyTime": "101112",
        "SeriesTime": "101213",
        "AcquisitionTime": "101314",
        "ContentTime": "101415",
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    block = dataset.private_block(_PRIVATE_GROUP, f"{CANARY} VENDOR", create=True)
    block.add_new(0x01, "LO", f"{CANARY}^Hidden^{seed}")


def uid(*parts: object) -> str:
    """Make the same UID for the same parts, under pydicom's root."""
    return str(generate_uid(entropy_srcs=["chips phantom", *(str(part) for part in parts)]))
