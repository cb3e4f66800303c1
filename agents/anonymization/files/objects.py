"""What a file's header says of its object, in pseudonyms, and where its output goes. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from agents.anonymization.files.entries import Stamp
from agents.anonymization.policy.document import Policy
from gateway.header import HeaderIdentity
from gateway.identity import ProjectKey, patient_of, pseudonymous_uid
from gateway.part10 import SHORT_VRS, VR_NAMES

_UID = re.compile(r"[0-9.]{1,64}")
_HEAD = 8
"""Bytes of an element's tag, VR and length."""


class Found(NamedTuple):
    """An object: its file, and its pseudonyms. Holds no identity but the path.

    Attributes
    ----------
    patient
        As in Patient ID of the output.
    study, series, instance
        New UIDs, whether or not the policy puts them into the output.
    """

    path: str
    stamp: Stamp
    patient: str
    study: str
    series: str
    instance: str
    modality: str
    sop_class: str

    @property
    def folder(self) -> str:
        """Where its series' outputs go, below OUT: folders of patient, study and series."""
        return f"{self.patient}/{self.study}/{self.series}"


def found_object(
    path: str, stamp: Stamp, identity: HeaderIdentity, *, key: ProjectKey, policy: Policy
) -> Found:
    """Give an object's pseudonyms."""
    patient = patient_of(key, identity.issuer_of_patient_id, identity.patient_id, identity.study_instance_uid)
    return Found(
        path=path,
        stamp=stamp,
        patient=policy.pseudonyms.prefix + patient,
        study=pseudonymous_uid(key, identity.study_instance_uid),
        series=pseudonymous_uid(key, identity.series_instance_uid),
        instance=pseudonymous_uid(key, identity.sop_instance_uid),
        modality=identity.modality,
        sop_class=identity.sop_class_uid,
    )


def output_of(found: Found, sop_instance_uid: str, policy: Policy) -> str:
    """Give where an output goes, below OUT.

    It has the name of its SOP Instance UID, which is not `Found.instance` where pixels were changed; but not
    when that may be the original's.
    """
    own = "retain_uids" not in policy.options and _UID.fullmatch(sop_instance_uid)
    return f"{found.folder}/{sop_instance_uid if own else found.instance}.dcm"


def resembles_dicom(head: bytes) -> bool:
    """Tell whether bytes begin like a data set without preamble and file meta information.

    Such a file is kept back and told, while one that begins otherwise is no object at all.
    """
    if len(head) < _HEAD or head[:2] not in (b"\2\0", b"\x08\0", b"\0\x08"):
        return False
    return VR_NAMES.get(head[4:6]) in SHORT_VRS or head[6:8] == b"\0\0"
