"""Attributes that Table E.1-1 does not list although they hold what it removes where it lists it.

Of the value representations that are kept when the table does not list them (LO, SH, OB): numbers of orders,
devices and materials, addresses, names of people, and texts that somebody types. Compared with PS3.6 by eye.
"""

from __future__ import annotations

import functools

from pydicom.datadict import tag_for_keyword

_IDENTIFIERS = (
    *("PatientBirthDateInAlternativeCalendar", "PatientDeathDateInAlternativeCalendar"),
    *("PlacerOrderNumberProcedure", "FillerOrderNumberProcedure"),
    *("PlacerOrderNumberImagingServiceRequestRetired", "FillerOrderNumberImagingServiceRequestRetired"),
    *("StrainStockNumber", "BreedRegistrationNumber", "ComponentWelderIDs", "DeviceID", "NTPSourceAddress"),
    *("ProductLotIdentifier", "SubstanceAdministrationDeviceID", "ImageID", "StorageMediaFileSetID"),
    *("PrintJobID", "PrintQueueID", "PrinterName", "OwnerID", "RadiationMachineName", "ContactDisplayName"),
    *("HangingProtocolCreator", "HangingProtocolUserGroupName", "ReferenceToRecordedSound"),
    *("AuthorizationEquipmentCertificationNumber", "AssessmentSetID", "RecordKey", "PriorRecordKey"),
    *("ObjectBinaryIdentifierTrial", "ObjectDirectoryBinaryIdentifierTrial"),
    *("ItineraryID", "ItineraryIDAssigningAuthority", "RouteSegmentID", "BoardingPassID"),
    *("RouteSegmentStartLocationID", "RouteSegmentEndLocationID", "AssignedLocation", "RouteID"),
    *("RouteIDAssigningAuthority", "CarrierID"),
)
_TYPED = (
    *("AcquisitionProtocolName", "ContentDescription", "CompletionFlagDescription", "InstructionText"),
    *("RequestedProcedureDescriptionTrial", "PerformedProcedureTypeDescription", "ResourceDescription"),
    *("SystemStatusComment", "TestResultComment", "SubstanceAdministrationNotes", "DoseComment"),
    *("FrameOfReferenceTransformationComment", "RTImageName", "RTImageLabel", "PatientSetupLabel"),
    *("TreatmentProtocols", "WorklistLabel", "ReasonForChannelOmissionDescription", "FilmSessionLabel"),
    *("FrameOfInterestDescription", "GraphicLayerDescription", "HPGLDocument"),
)


@functools.cache
def load_unlisted() -> frozenset[int]:
    """Give their tags."""
    return load_identifiers() | frozenset(map(_tag, _TYPED))


@functools.cache
def load_identifiers() -> frozenset[int]:
    """Give the tags of those that are no texts, of which nothing would be left when they are cleaned."""
    return frozenset(map(_tag, _IDENTIFIERS))


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag)
