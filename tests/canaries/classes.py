"""Small objects of many SOP classes, valid by their IODs, about a made-up person. Pixels are noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.canaries.person import Person
from tests.canaries.words import Words

SIZE = 64
"""Rows and columns."""


def made(words: Words, person: Person, sop_class: str, modality: str, **more: object) -> Dataset:
    """Give what all objects have: patient, study, series, equipment, identity."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 100"
    data.SOPClassUID = sop_class
    data.SOPInstanceUID = words.uid()
    person.describe(data)
    data.StudyTime = "101112"
    data.Modality = modality
    data.Manufacturer = "Maker"
    data.ManufacturerModelName = "Model 3"
    data.DeviceSerialNumber = words.word()
    data.SoftwareVersions = "1.0"
    data.StudyDescription = f"{words.word()} {person.family}"
    data.SeriesDescription = f"{words.word()} {person.patient_id}"
    data.PatientSex = "F"
    data.PatientAge = "059Y"
    data.StudyInstanceUID = words.uid()
    data.SeriesInstanceUID = words.uid()
    data.BodyPartExamined = "HEAD"
    data.SeriesNumber = "2"
    data.InstanceNumber = "7"
    with pydicom.config.disable_value_validation():
        for keyword, value in more.items():
            setattr(data, keyword, value)
    return data


def item(**values: object) -> Dataset:
    """Give an item of a sequence."""
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


def code(value: str, scheme: str, meaning: str) -> Sequence:
    """Give a code sequence of one item."""
    return Sequence([item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)])


def pixels(data: Dataset, *, bits: int = 16, samples: int = 1, frames: int = 0, seed: int = 1) -> Dataset:
    """Add an image of noise; `frames` 0: one without Number of Frames."""
    data.SamplesPerPixel = samples
    data.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples == 3:
        data.PlanarConfiguration = 0
    if frames:
        data.NumberOfFrames = str(frames)
    data.Rows = data.Columns = SIZE
    data.BitsAllocated = bits
    data.BitsStored, data.HighBit = (12, 11) if bits == 16 else (bits, bits - 1)
    data.PixelRepresentation = 0
    shape = (max(frames, 1), SIZE, SIZE, samples)
    noise = np.random.default_rng(seed).integers(0, 200, shape)
    kind = {1: "u1", 8: "u1", 16: "<u2", 32: "<u4"}[bits]
    content = (
        noise.astype(kind).tobytes() if bits > 1 else np.packbits(noise > 100, bitorder="little").tobytes()
    )
    data.add_new(0x7FE00010, "OB" if bits <= 8 else "OW", content)
    return data


def deep(data: Dataset) -> Dataset:
    """Let all bits count."""
    data.BitsStored, data.HighBit = data.BitsAllocated, data.BitsAllocated - 1
    return data


def plane(data: Dataset, words: Words) -> Dataset:
    """Say where a slice lies."""
    data.FrameOfReferenceUID = words.uid()
    data.PositionReferenceIndicator = ""
    data.ImagePositionPatient = [0, 0, 1.5]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelSpacing = [0.5, 0.5]
    data.SliceThickness = "1.25"
    data.PatientPosition = "HFS"
    return data


def ct(words: Words, person: Person) -> Dataset:
    data = made(
        words, person, uid.CTImageStorage, "CT", ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], KVP="120"
    )
    data.update(item(AcquisitionNumber="1", RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU"))
    return pixels(plane(data, words))


def mr(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.MRImageStorage, "MR", ImageType=["ORIGINAL", "PRIMARY", "M", "FFE"])
    data.update(item(ScanningSequence="GR", SequenceVariant="NONE", ScanOptions="", MRAcquisitionType="3D"))
    data.update(item(RepetitionTime="8", EchoTime="4", EchoTrainLength="1"))
    return pixels(plane(data, words))


def pet(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.PositronEmissionTomographyImageStorage, "PT")
    data.update(item(ImageType=["ORIGINAL", "PRIMARY"], Units="BQML", CountsSource="EMISSION"))
    data.update(item(SeriesType=["WHOLE BODY", "IMAGE"], NumberOfSlices=1, CorrectedImage=["DECY"]))
    data.update(item(DecayCorrection="START", CollimatorType="NONE", ImageIndex=1))
    data.update(item(FrameReferenceTime="0", SeriesDate=f"{person.seen:%Y%m%d}", SeriesTime="101213"))
    data.update(item(AcquisitionTime="101214", AcquisitionDate=f"{person.seen:%Y%m%d}"))
    data.update(item(ActualFrameDuration="1000", DecayFactor="1", RescaleIntercept="0", RescaleSlope="1"))
    tracer = item(
        RadionuclideCodeSequence=code("C-111A1", "SRT", "^18^Fluorine"), RadiopharmaceuticalStartTime="0900"
    )
    data.RadiopharmaceuticalInformationSequence = Sequence([tracer])
    data.PatientOrientationCodeSequence = code("F-10450", "SRT", "recumbent")
    data.PatientGantryRelationshipCodeSequence = code("F-10470", "SRT", "headfirst")
    del plane(data, words).PatientPosition
    return deep(pixels(data))


def nuclear(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.NuclearMedicineImageStorage, "NM")
    data.ImageType = ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]
    data.update(
        item(PatientOrientationCodeSequence=Sequence(), PatientGantryRelationshipCodeSequence=Sequence())
    )
    data.update(item(EnergyWindowVector=1, DetectorVector=1, NumberOfEnergyWindows=1, NumberOfDetectors=1))
    data.update(item(FrameIncrementPointer=[0x00540010, 0x00540020], CountsAccumulated="5000"))
    data.update(item(ActualFrameDuration="1000", PixelSpacing=[4.0, 4.0]))
    window = item(
        EnergyWindowRangeSequence=Sequence([item(EnergyWindowLowerLimit="126")]), EnergyWindowName="Tc99m"
    )
    data.EnergyWindowInformationSequence = Sequence([window])
    data.RadiopharmaceuticalInformationSequence = Sequence([item(RadionuclideCodeSequence=Sequence())])
    data.DetectorInformationSequence = Sequence([item(CollimatorType="PARA", ImagePositionPatient=[0, 0, 0])])
    data.DetectorInformationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    return deep(pixels(data, frames=1))


def radiograph(words: Words, person: Person) -> Dataset:
    """Give a computed radiograph that says nothing of burned-in text."""
    data = made(words, person, uid.ComputedRadiographyImageStorage, "CR", BodyPartExamined="CHEST")
    data.update(item(ImageType=["ORIGINAL", "PRIMARY"], ViewPosition="PA", PatientOrientation=["L", "F"]))
    return pixels(data)


def digital(words: Words, person: Person) -> Dataset:
    """Give a digital radiograph that says that nothing is burned in."""
    data = made(
        words, person, uid.DigitalXRayImageStorageForPresentation, "DX", ImageType=["ORIGINAL", "PRIMARY", ""]
    )
    data.update(item(PresentationIntentType="FOR PRESENTATION", BodyPartExamined="CHEST"))
    data.update(item(ImageLaterality="U", AnatomicRegionSequence=code("T-D3000", "SRT", "Chest")))
    data.update(item(PatientOrientation=["L", "F"], DetectorType="DIRECT"))
    data.update(item(PixelIntensityRelationship="LOG", PixelIntensityRelationshipSign=-1))
    data.update(item(RescaleIntercept="0", RescaleSlope="1", RescaleType="US"))
    data.update(item(PresentationLUTShape="IDENTITY", LossyImageCompression="00"))
    data.update(item(BurnedInAnnotation="NO", ImagerPixelSpacing=[0.2, 0.2], WindowCenter="2048"))
    data.update(item(WindowWidth="4096", DetectorTemperature="20"))
    data.PositionerType = ""
    data.ViewCodeSequence = code("R-10206", "SRT", "frontal")
    data.ViewCodeSequence[0].ViewModifierCodeSequence = Sequence()
    data.AcquisitionContextSequence = Sequence()
    return pixels(data)


def angiography(words: Words, person: Person) -> Dataset:
    data = made(
        words,
        person,
        uid.XRayAngiographicImageStorage,
        "XA",
        ImageType=["ORIGINAL", "PRIMARY", "SINGLE PLANE"],
    )
    data.update(
        item(PatientOrientation="", PixelIntensityRelationship="LIN", RadiationSetting="GR", KVP="70")
    )
    data.update(item(FrameIncrementPointer=0x00181063, FrameTime="33", LossyImageCompression="00"))
    data.update(item(PositionerMotion="STATIC", PositionerPrimaryAngle="0", PositionerSecondaryAngle="0"))
    data.update(item(XRayTubeCurrent="5", ExposureTime="20", BurnedInAnnotation="NO"))
    return pixels(data, bits=8, frames=3)


def ultrasound(words: Words, person: Person, frames: int = 0) -> Dataset:
    kind = uid.UltrasoundMultiFrameImageStorage if frames else uid.UltrasoundImageStorage
    data = made(words, person, kind, "US", ImageType=["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"])
    data.update(item(PatientOrientation="", LossyImageCompression="00"))
    region = item(RegionSpatialFormat=1, RegionDataType=1, RegionFlags=0, PhysicalUnitsXDirection=3)
    region.update(item(PhysicalUnitsYDirection=3, PhysicalDeltaX=0.1, PhysicalDeltaY=0.1))
    region.update(item(RegionLocationMinX0=8, RegionLocationMinY0=24, RegionLocationMaxX1=55))
    region.update(item(RegionLocationMaxY1=55))
    data.SequenceOfUltrasoundRegions = Sequence([region])
    if frames:
        data.update(item(FrameIncrementPointer=0x00181063, FrameTime="40"))
    return pixels(data, bits=8, samples=3, frames=frames)


def capture(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.SecondaryCaptureImageStorage, "OT", ImageType=["DERIVED", "SECONDARY"])
    data.update(item(ConversionType="WSD", PatientOrientation=""))
    return pixels(data, bits=8, samples=3)


def photograph(words: Words, person: Person) -> Dataset:
    data = made(words, person, uid.VLPhotographicImageStorage, "XC", ImageType=["ORIGINAL", "PRIMARY"])
    data.update(
        item(LossyImageCompression="00", AcquisitionContextSequence=Sequence(), PatientOrientation=["L", "F"])
    )
    return pixels(data, bits=8, samples=3)


IMAGES: dict[str, Callable[[Words, Person], Dataset]] = {
    "ct": ct,
    "mr": mr,
    "pet": pet,
    "nm": nuclear,
    "cr": radiograph,
    "dx": digital,
    "xa": angiography,
    "us": ultrasound,
    "us frames": lambda words, person: ultrasound(words, person, frames=3),
    "sc": capture,
    "photograph": photograph,
}
"""Objects that have pixels and no functional groups."""
