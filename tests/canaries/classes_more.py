"""Small objects of SOP classes with functional groups, of radiotherapy, or without pixels of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.canaries.classes import code, deep, item, made, pixels, plane
from tests.canaries.documents import cda, content_tree, pdf
from tests.canaries.person import Person
from tests.canaries.words import Words


def _dimensions(data: Dataset, words: Words, pointer: int, group: int) -> None:
    organization = words.uid()
    data.DimensionOrganizationSequence = Sequence([item(DimensionOrganizationUID=organization)])
    index = item(
        DimensionIndexPointer=pointer, FunctionalGroupPointer=group, DimensionOrganizationUID=organization
    )
    data.DimensionIndexSequence = Sequence([index])


def _frame(number: int, **groups: Sequence) -> Dataset:
    frame = item(PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, float(number)])]), **groups)
    frame.FrameContentSequence = Sequence([item(DimensionIndexValues=[number])])
    return frame


def enhanced_mr(words: Words, person: Person) -> Dataset:
    data = made(
        words, person, uid.EnhancedMRImageStorage, "MR", ImageType=["DERIVED", "PRIMARY", "M", "NONE"]
    )
    day = f"{person.seen:%Y%m%d}"
    data.update(
        item(
            AcquisitionNumber="1",
            AcquisitionDateTime=f"{day}101213",
            AcquisitionDuration=3.0,
            ContentDate=day,
            ContentTime="101213",
            ContentQualification="RESEARCH",
            PixelPresentation="MONOCHROME",
            VolumetricProperties="VOLUME",
            VolumeBasedCalculationTechnique="NONE",
            ComplexImageComponent="MAGNITUDE",
            AcquisitionContrast="UNKNOWN",
            ResonantNucleus="1H",
            MagneticFieldStrength=3.0,
            ApplicableSafetyStandardAgency="IEC",
            BurnedInAnnotation="NO",
            LossyImageCompression="00",
            PresentationLUTShape="IDENTITY",
            AcquisitionContextSequence=Sequence(),
            FrameOfReferenceUID=words.uid(),
            PositionReferenceIndicator="",
            PatientPosition="HFS",
        )
    )
    _dimensions(data, words, 0x00200032, 0x00209113)
    measures = item(PixelSpacing=[0.5, 0.5], SliceThickness="2")
    anatomy = item(FrameLaterality="U", AnatomicRegionSequence=code("T-D1100", "SRT", "Head"))
    kind = item(FrameType=["DERIVED", "PRIMARY", "M", "NONE"], PixelPresentation="MONOCHROME")
    kind.update(item(VolumetricProperties="VOLUME", VolumeBasedCalculationTechnique="NONE"))
    kind.update(item(ComplexImageComponent="MAGNITUDE", AcquisitionContrast="UNKNOWN"))
    shared = item(
        PixelMeasuresSequence=Sequence([measures]),
        FrameAnatomySequence=Sequence([anatomy]),
        MRImageFrameTypeSequence=Sequence([kind]),
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        PixelValueTransformationSequence=Sequence([_rescale()]),
        FrameVOILUTSequence=Sequence([item(WindowCenter="100", WindowWidth="200")]),
    )
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = [_frame(number) for number in (1, 2)]
    for frame in frames:
        for keyword in ("FrameAcquisitionDateTime", "FrameReferenceDateTime"):
            setattr(frame.FrameContentSequence[0], keyword, f"{day}101213")
        frame.FrameContentSequence[0].FrameAcquisitionDuration = 1.0
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return pixels(data, frames=2)


def _rescale() -> Dataset:
    return item(RescaleIntercept="0", RescaleSlope="1", RescaleType="US")


def segmentation(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.SegmentationStorage, "SEG", ImageType=["DERIVED", "PRIMARY"])
    data.update(
        item(
            ContentDate=f"{person.seen:%Y%m%d}",
            ContentTime="101213",
            SegmentationType="BINARY",
            ContentLabel="SEGMENTATION",
            ContentDescription=words.word(),
            LossyImageCompression="00",
            ContentCreatorName=person.performer,
            FrameOfReferenceUID=words.uid(),
            PositionReferenceIndicator="",
            BurnedInAnnotation="NO",
        )
    )
    _dimensions(data, words, 0x00200032, 0x00209113)
    segment = item(SegmentNumber=1, SegmentLabel="Liver", SegmentAlgorithmType="MANUAL")
    segment.SegmentDescription = words.value("ST")
    segment.SegmentedPropertyCategoryCodeSequence = code("T-D0050", "SRT", "Tissue")
    segment.SegmentedPropertyTypeCodeSequence = code("T-62000", "SRT", "Liver")
    data.SegmentSequence = Sequence([segment])
    shared = item(
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[0.5, 0.5], SliceThickness="2")]),
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        SegmentIdentificationSequence=Sequence([item(ReferencedSegmentNumber=1)]),
    )
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.PerFrameFunctionalGroupsSequence = Sequence([_frame(1), _frame(2)])
    return pixels(data, bits=1, frames=2)


def dose(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.RTDoseStorage, "RTDOSE", OperatorsName=person.operator)
    data.update(item(DoseUnits="GY", DoseType="PHYSICAL", DoseSummationType="PLAN", DoseGridScaling="0.001"))
    data.update(item(GridFrameOffsetVector=[0.0, 2.0], FrameIncrementPointer=0x3004000C))
    data.DoseComment = words.value("LO")
    plan = item(ReferencedSOPClassUID=uid.RTPlanStorage, ReferencedSOPInstanceUID=words.uid())
    data.ReferencedRTPlanSequence = Sequence([plan])
    del plane(data, words).PatientPosition
    return deep(pixels(data, frames=2))


def structures(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.RTStructureSetStorage, "RTSTRUCT", StructureSetLabel=words.word())
    data.update(item(StructureSetDate=f"{person.seen:%Y%m%d}", StructureSetTime="1012"))
    data.update(item(FrameOfReferenceUID=words.uid(), PositionReferenceIndicator=""))
    data.update(item(StructureSetName=words.word(), StructureSetDescription=words.value("ST")))
    data.ReferencedFrameOfReferenceSequence = Sequence([item(FrameOfReferenceUID=words.uid())])
    region = item(ROINumber="1", ReferencedFrameOfReferenceUID=words.uid(), ROIName=words.word())
    data.StructureSetROISequence = Sequence([item(ROIGenerationAlgorithm="")])
    data.StructureSetROISequence[0].update(region)
    contour = item(ContourGeometricType="POINT", NumberOfContourPoints="1", ContourData=[1.0, 2.0, 3.0])
    data.ROIContourSequence = Sequence([item(ReferencedROINumber="1", ContourSequence=Sequence([contour]))])
    observed = item(
        ObservationNumber="1",
        ReferencedROINumber="1",
        RTROIInterpretedType="",
        ROIInterpreter=person.operator,
    )
    data.RTROIObservationsSequence = Sequence([observed])
    return data


def plan(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.RTPlanStorage, "RTPLAN", RTPlanLabel=words.word(), RTPlanName=words.word())
    data.update(
        item(RTPlanDate=f"{person.seen:%Y%m%d}", RTPlanTime="1012", RTPlanGeometry="TREATMENT_DEVICE")
    )
    data.update(
        item(RTPlanDescription=words.value("ST"), ApprovalStatus="APPROVED", ReviewerName=person.physician)
    )
    data.update(item(ReviewDate=f"{person.seen:%Y%m%d}", ReviewTime="1012"))
    group = item(FractionGroupNumber="1", NumberOfFractionsPlanned="5", NumberOfBeams="0")
    group.NumberOfBrachyApplicationSetups = "0"
    data.FractionGroupSequence = Sequence([group])
    return data


def report(words: Words, person: Person) -> Dataset:
    data = made(
        words,
        person,
        uid.ComprehensiveSRStorage,
        "SR",
        CompletionFlag="COMPLETE",
        VerificationFlag="VERIFIED",
    )
    day = f"{person.seen:%Y%m%d}"
    data.update(item(ContentDate=day, ContentTime="1012", PerformedProcedureCodeSequence=Sequence()))
    data.ReferencedPerformedProcedureStepSequence = Sequence()
    observer = item(VerifyingObserverName=person.physician, VerifyingOrganization=person.institution)
    observer.update(
        item(VerificationDateTime=f"{day}1012", VerifyingObserverIdentificationCodeSequence=Sequence())
    )
    data.VerifyingObserverSequence = Sequence([observer])
    tree, image = content_tree(words, person)
    data.update(tree)
    series = item(SeriesInstanceUID=words.uid(), ReferencedSOPSequence=Sequence([image]))
    study = item(StudyInstanceUID=data.StudyInstanceUID, ReferencedSeriesSequence=Sequence([series]))
    data.CurrentRequestedProcedureEvidenceSequence = Sequence([study])
    return data


def _document(words: Words, person: Person, sop_class: str, kind: str, content: bytes) -> Dataset:
    data = made(words, person, sop_class, "DOC", ConversionType="WSD", BurnedInAnnotation="YES")
    data.update(item(ContentDate=f"{person.seen:%Y%m%d}", ContentTime="1012", AcquisitionDateTime=""))
    data.update(
        item(
            DocumentTitle=person.name, ConceptNameCodeSequence=Sequence(), MIMETypeOfEncapsulatedDocument=kind
        )
    )
    if sop_class == uid.EncapsulatedCDAStorage:
        data.HL7InstanceIdentifier = f"{words.uid()}^{person.accession}"
    data.add_new(0x00420011, "OB", content + b"\0" * (len(content) % 2))
    return data


def waveform(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.TwelveLeadECGWaveformStorage, "ECG")
    day = f"{person.seen:%Y%m%d}"
    data.update(item(ContentDate=day, ContentTime="1012", AcquisitionDateTime=f"{day}1012"))
    data.AcquisitionContextSequence = Sequence()
    samples = np.random.default_rng(2).integers(-100, 100, (100, 2)).astype("<i2")
    channel = item(ChannelSourceSequence=code("5.6.3-9-1", "SCPECG", "Lead I"), WaveformBitsStored=16)
    channel.ChannelSourceSequence[0].CodingSchemeVersion = "1.3"
    channel.update(item(ChannelSensitivity="1", ChannelSensitivityCorrectionFactor="1", ChannelBaseline="0"))
    channel.ChannelSensitivityUnitsSequence = code("uV", "UCUM", "microvolt")
    channel.update(item(ChannelSampleSkew="0", ChannelLabel=words.word()))
    group = item(WaveformOriginality="ORIGINAL", NumberOfWaveformChannels=2, NumberOfWaveformSamples=100)
    group.update(item(SamplingFrequency="500", WaveformBitsAllocated=16, WaveformSampleInterpretation="SS"))
    group.ChannelDefinitionSequence = Sequence([channel, channel])
    group.add_new(0x54001010, "OW", samples.tobytes())
    data.WaveformSequence = Sequence([group])
    note = item(
        AnnotationGroupNumber=0,
        ReferencedWaveformChannels=[1, 0],
        UnformattedTextValue=f"ECG of {person.given} {person.family}",
    )
    data.WaveformAnnotationSequence = Sequence([note])
    return data


def presentation(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.GrayscaleSoftcopyPresentationStateStorage, "PR", ContentLabel="STATE")
    data.update(item(PresentationCreationDate=f"{person.seen:%Y%m%d}", PresentationCreationTime="1012"))
    data.update(item(ContentDescription=words.word(), ContentCreatorName=person.operator))
    reference = item(ReferencedSOPClassUID=uid.CTImageStorage, ReferencedSOPInstanceUID=words.uid())
    data.ReferencedSeriesSequence = Sequence([item(SeriesInstanceUID=words.uid())])
    data.ReferencedSeriesSequence[0].ReferencedImageSequence = Sequence([reference])
    area = item(DisplayedAreaTopLeftHandCorner=[1, 1], DisplayedAreaBottomRightHandCorner=[64, 64])
    area.update(item(PresentationSizeMode="SCALE TO FIT", PresentationPixelAspectRatio=[1, 1]))
    data.DisplayedAreaSelectionSequence = Sequence([area])
    data.GraphicLayerSequence = Sequence([item(GraphicLayer="LAYER", GraphicLayerOrder="1")])
    data.GraphicLayerSequence[0].GraphicLayerDescription = person.name
    text = item(
        UnformattedTextValue=f"{person.family}, {person.given} {person.patient_id}", AnchorPoint=[10.0, 10.0]
    )
    text.update(item(AnchorPointAnnotationUnits="PIXEL", AnchorPointVisibility="N"))
    drawn = item(
        GraphicAnnotationUnits="PIXEL", GraphicDimensions=2, NumberOfGraphicPoints=2, GraphicFilled="N"
    )
    drawn.update(item(GraphicData=[1.0, 1.0, 9.0, 9.0], GraphicType="POLYLINE"))
    data.GraphicAnnotationSequence = Sequence([item(GraphicLayer="LAYER")])
    data.GraphicAnnotationSequence[0].TextObjectSequence = Sequence([text])
    data.GraphicAnnotationSequence[0].GraphicObjectSequence = Sequence([drawn])
    data.PresentationLUTShape = "IDENTITY"
    return data


OBJECTS: dict[str, Callable[[Words, Person], Dataset]] = {
    "enhanced mr": enhanced_mr,
    "seg": segmentation,
    "rt dose": dose,
    "rt structures": structures,
    "rt plan": plan,
    "sr": report,
    "pdf": lambda words, person: _document(
        words, person, uid.EncapsulatedPDFStorage, "application/pdf", pdf(words, person)
    ),
    "cda": lambda words, person: _document(
        words, person, uid.EncapsulatedCDAStorage, "text/XML", cda(words, person)
    ),
    "ecg": waveform,
    "pr": presentation,
}
