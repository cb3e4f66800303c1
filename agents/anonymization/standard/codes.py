"""CID 7050 De-identification Method (DICOM PS3.16), and the options of PS3.15, Annex E, behind its codes."""

from __future__ import annotations

from typing import Literal, NamedTuple

PolicyOption = Literal[
    "clean_pixel_data",
    "clean_recognizable_visual_features",
    "clean_graphics",
    "clean_structured_content",
    "clean_descriptors",
    "retain_longitudinal_full_dates",
    "retain_longitudinal_modified_dates",
    "retain_patient_characteristics",
    "retain_device_identity",
    "retain_institution_identity",
    "retain_uids",
    "retain_safe_private",
]
"""The options of PS3.15, E.3, on top of the Basic Application Level Confidentiality Profile."""


class MethodCode(NamedTuple):
    """A code of CID 7050, coding scheme DCM."""

    value: str
    meaning: str


BASIC_PROFILE = MethodCode("113100", "Basic Application Confidentiality Profile")

OPTION_CODES: dict[PolicyOption, MethodCode] = {
    "clean_pixel_data": MethodCode("113101", "Clean Pixel Data Option"),
    "clean_recognizable_visual_features": MethodCode("113102", "Clean Recognizable Visual Features Option"),
    "clean_graphics": MethodCode("113103", "Clean Graphics Option"),
    "clean_structured_content": MethodCode("113104", "Clean Structured Content Option"),
    "clean_descriptors": MethodCode("113105", "Clean Descriptors Option"),
    "retain_longitudinal_full_dates": MethodCode(
        "113106", "Retain Longitudinal Temporal Information Full Dates Option"
    ),
    "retain_longitudinal_modified_dates": MethodCode(
        "113107", "Retain Longitudinal Temporal Information Modified Dates Option"
    ),
    "retain_patient_characteristics": MethodCode("113108", "Retain Patient Characteristics Option"),
    "retain_device_identity": MethodCode("113109", "Retain Device Identity Option"),
    "retain_uids": MethodCode("113110", "Retain UIDs Option"),
    "retain_safe_private": MethodCode("113111", "Retain Safe Private Option"),
    "retain_institution_identity": MethodCode("113112", "Retain Institution Identity Option"),
}
