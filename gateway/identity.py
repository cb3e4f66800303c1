"""Pseudonyms: keyed HMAC of what identifies, one key per project. Pure.

The same project key gives the same pseudonyms on every machine, without shared state; without the key they
say nothing. Every function has a domain of its own, so that equal texts of different meaning never give
equal keys. Results fit `schemas.identity.Key` (32 hex digits, 128 bits).
"""

from __future__ import annotations

import hmac

import msgspec
from pydicom.uid import UID_dictionary

SECRET_BYTES = 32

# pynetdicom adds these to pydicom's dictionary when it is imported: a pseudonym must not depend on that.
_NEWER = (
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.4.111",
    "1.2.840.10008.1.2.4.112",
    "1.2.840.10008.1.2.8.1",
)
_WELL_KNOWN = frozenset((*map(str, UID_dictionary), *_NEWER))


class ProjectKey(msgspec.Struct, frozen=True, kw_only=True):
    """The secret of a project's pseudonyms. It never changes; its wrapping in the keyring can.

    Attributes
    ----------
    project
        The project's id.
    secret
        32 bytes.
    """

    project: str
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"A project key has {SECRET_BYTES} bytes.")

    def __repr__(self) -> str:
        """Leave the secret out of logs and tracebacks."""
        return f"ProjectKey(project={self.project!r}, secret=...)"


def patient_pseudonym(key: ProjectKey, issuer: str, patient_id: str) -> str:
    """Give the key of a patient: (project, Issuer of Patient ID, Patient ID).

    Leading and trailing spaces mean nothing in these attributes (DICOM PS3.5, LO) and don't count.
    """
    return _key(key, "patient", issuer.strip(" \0"), patient_id.strip(" \0"))


def patient_of(key: ProjectKey, issuer: str, patient_id: str, study_uid: str) -> str:
    """Give the key of an object's patient, also when it has no Patient ID.

    Objects without one belong to nobody in particular: their patient is made from the study, so that they
    don't become one patient.
    """
    if not patient_id.strip(" \0"):
        return _key(key, "patient-of-study", _uid(study_uid))
    return patient_pseudonym(key, issuer, patient_id)


def study_key(key: ProjectKey, uid: str) -> str:
    """Give the key of a study."""
    return _key(key, "study", _uid(uid))


def series_key(key: ProjectKey, uid: str) -> str:
    """Give the key of a series, whatever source it came from."""
    return _key(key, "series", _uid(uid))


def instance_key(key: ProjectKey, uid: str) -> str:
    """Give the key of a SOP instance."""
    return _key(key, "instance", _uid(uid))


def date_shift_days(key: ProjectKey, issuer: str, patient_id: str, study_uid: str, at_most_days: int) -> int:
    """Give the days, 1 to `at_most_days`, by which a patient's dates move back in all their objects.

    Objects without a Patient ID move by study, as in `patient_of`.
    """
    patient = patient_of(key, issuer, patient_id, study_uid)
    # 256 bits over a few thousand days: no day is more likely than another by more than 2**-240
    return 1 + int.from_bytes(_digest(key, "date-shift", patient)) % at_most_days


def is_well_known(uid: str) -> bool:
    """Tell whether the standard registers this UID (DICOM PS3.6, Annex A): it names no patient.

    Only registered UIDs count, not everything under the standard's root, where anything can be written.
    """
    return _uid(uid) in _WELL_KNOWN


def pseudonymous_uid(key: ProjectKey, uid: str) -> str:
    """Give the UID that stands for a UID of the hospital.

    ``2.25.`` and a 128-bit number (DICOM PS3.5, B.2), at most 44 characters. The number always has 39 digits,
    so none of these UIDs is a prefix of another. An empty UID stays empty; a well-known one stays as it is.
    """
    clean = _uid(uid)
    if not clean or clean in _WELL_KNOWN:
        return clean
    digest = _digest(key, "uid", clean)
    # A 39-digit number below 2**128: between 10**38 and 2**128 lie more than 2**127 numbers. 32 bytes folded
    # onto that range leave a bias below 2**-128.
    low = 10**38
    return f"2.25.{low + int.from_bytes(digest) % (2**128 - low)}"


def key_mark(key: ProjectKey, *values: bytes) -> str:
    """Give what tells keys apart, or with `values` what was made of them under a key; it says nothing else.

    64 bits, hex.
    """
    return _digest(key, "mark", *(value.decode("latin-1") for value in values))[:8].hex()


def _uid(uid: str) -> str:
    return uid.strip(" \0")


def _key(key: ProjectKey, domain: str, *parts: str) -> str:
    return _digest(key, domain, *parts)[:16].hex()


def _digest(key: ProjectKey, domain: str, *parts: str) -> bytes:
    # surrogatepass: what could not be decoded still has a pseudonym of its own
    raw = [part.encode("utf-8", "surrogatepass") for part in (f"chips/1/{domain}", *parts)]
    message = b"".join([len(part).to_bytes(4) + part for part in raw])
    return hmac.digest(key.secret, message, "sha256")
