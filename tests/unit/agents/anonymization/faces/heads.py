"""Synthetic heads of known anatomy, scanned in any direction: CT and MR series. The seed is the only chance.

A head is a function of place (mm; L, P, S; ear canals at P = 0): what is nose, eye, chin or brain is known at
every pixel. One is of ellipsoids and shares nothing with the mean head; the other is the mean head, warped.
"""

from __future__ import annotations

import functools
import itertools
import math
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import SimpleITK
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from agents.anonymization.faces.head import LANDMARKS, load_head
from plugins.phantom.packaged import mni_series
from plugins.phantom.series import SOP_CLASSES

AIR, SKIN, FAT, MUSCLE, BONE, WHITE, GREY, FLUID = range(8)
VALUES = {
    "CT": np.array([-1000, 30, -90, 55, 900, 28, 38, 6]),
    "MR": np.array([12, 420, 760, 330, 50, 620, 450, 140]),
    "T2": np.array([12, 260, 420, 140, 40, 260, 360, 900]),
}
NOISE = {"CT": 12.0, "MR": 12.0, "T2": 12.0}


class Person(NamedTuple):
    """How a head differs from others: stretches along L, P, S; nose, chin and brow in mm."""

    stretch: tuple[float, float, float]
    nose: float
    chin: float
    brow: float
    eyes: float


def person(seed: int) -> Person:
    chance = np.random.default_rng([seed, 7])
    return Person(
        stretch=tuple(float(v) for v in chance.uniform(0.92, 1.08, 3)),
        nose=float(chance.uniform(18, 28)),
        chin=float(chance.uniform(-4, 6)),
        brow=float(chance.uniform(-2, 4)),
        eyes=float(chance.uniform(29, 34)),
    )


def _ball(points, centre, axes):
    """Below 1 inside an ellipsoid."""
    return (((points - np.array(centre)) / np.array(axes)) ** 2).sum(axis=-1)


def anatomy(points, who: Person) -> dict[str, Any]:  # noqa: PLR0915 - one line a part of the body
    """Give `tissue` (codes) at places in the head's coordinates, and where brain, nose, eyes and chin are."""
    p = np.asarray(points, dtype=np.float32) / np.array(who.stretch, dtype=np.float32)
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    tissue = np.full(x.shape, AIR, dtype=np.uint8)
    side = np.stack([np.abs(x), y, z], axis=-1)
    # Narrower and lower in front: an egg, as skulls are.
    egg = np.stack(
        [x * (1 + 0.0016 * np.clip(-y, -40, 95)), y, z + 0.0009 * np.clip(-y, 0, 95) * np.clip(z, 0, 90)], -1
    )
    skull = _ball(egg, (0, -2, 2), (75, 95, 83))
    jaw = np.abs(x / 56) ** 3 + np.abs((y + 42) / 50) ** 3 + np.abs((z + 72) / 58) ** 3
    neck = ((x / 54) ** 2 + ((y - 12) / 56) ** 2 < 1) & (z < -40)
    nose = (z > -72) & (z < -24) & (np.abs(x) < 7 + 9 * (-24 - z) / 48)
    nose &= (y > -94 - who.nose * (-24 - z) / 48) & (y < -60)
    chin = _ball(p, (0, -84 - who.chin, -118), (20, 14, 13)) < 1
    lips = _ball(p, (0, -90, -92), (24, 9, 8)) < 1
    brow = _ball(side, (24, -76 - who.brow, -14), (26, 12, 10)) < 1
    ears = _ball(side, (70, 8, -42), (11, 18, 30)) < 1
    head = (skull < 1) | (jaw < 1) | neck | nose | chin | lips | brow | ears
    sockets = _ball(side, (who.eyes, -98, -36), (15, 14, 11)) < 1
    head &= ~sockets | nose
    tissue[head] = MUSCLE
    # Skin and fat: what is close to the outside, by the same shapes made smaller.
    deep = (_ball(egg, (0, -2, 2), (69, 89, 77)) < 1) | (
        np.abs(x / 50) ** 3 + np.abs((y + 42) / 44) ** 3 + np.abs((z + 72) / 54) ** 3 < 1
    )
    deep |= ((x / 48) ** 2 + ((y - 12) / 50) ** 2 < 1) & (z < -40)
    tissue[head & ~deep] = FAT
    tissue[nose | ears | lips] = SKIN
    bone = (_ball(egg, (0, -2, 2), (69, 89, 77)) < 1) & (z > -58 + np.clip(-y - 20, 0, 60) * 0.6)
    tissue[bone] = BONE
    tissue[
        (np.abs(x / 47) ** 2 + np.abs((y + 36) / 44) ** 2 < 1)
        & (np.abs(z + 92) < 26)
        & (y < -20)
        & deep
        & ~(np.abs(x / 36) ** 2 + np.abs((y + 30) / 36) ** 2 < 1)
    ] = BONE
    inner = _ball(egg, (0, -2, 3), (63, 83, 71))
    temporal = _ball(side, (36, -12, -30), (18, 28, 18)) < 1
    cerebellum = _ball(side, (22, 46, -46), (27, 28, 24)) < 1
    brain = (
        ((inner < 1) & ((z > -17 + 0.3 * np.clip(-y - 35, 0, 50)) | ((y > 20) & (z > -30))))
        | temporal
        | cerebellum
    )
    stem = (np.hypot(x, y - 4 + 0.25 * z) < 14) & (z > -95) & (z < -17)
    tissue[brain] = GREY
    folds = np.sin(x / 6.5) * np.sin(y / 7.5 + 1) * np.sin(z / 7.0 + 2)
    deep_temporal = _ball(side, (36, -11, -28), (12, 20, 10)) < 1
    deep_cerebellum = _ball(side, (20, 44, -46), (15, 16, 13)) < 1
    tissue[brain & (inner + 0.25 * folds < 0.62) & (z > -12) | deep_temporal | deep_cerebellum] = WHITE
    tissue[stem] = WHITE
    tissue[_ball(side, (12, 2, -2), (8, 10, 8)) < 1] = GREY
    horns = (_ball(side, (10, -16, 14), (6, 22, 8)) < 1) | (_ball(side, (18, 28, 12), (7, 20, 9)) < 1)
    tissue[horns & brain] = FLUID
    tissue[(np.abs(x) < 2) & brain & (inner > 0.45) & (z > 0)] = FLUID
    tissue[brain & (inner > 0.96)] = FLUID
    eyes = _ball(side, (who.eyes, -75, -36), (12, 12, 12)) < 1
    orbit = (_ball(side, (who.eyes - 4, -62, -36), (16, 26, 15)) < 1) & ~brain & head
    tissue[orbit] = FAT
    tissue[eyes & head] = FLUID
    cavity = (np.abs(x) < 13) & (np.abs(x) > 2) & (y > -84) & (y < -26) & (z > -74) & (z < -28)
    antra = _ball(side, (29, -56, -62), (13, 16, 15)) < 1
    frontal = _ball(side, (12, -84, -6), (10, 4, 8)) < 1
    mastoid = _ball(side, (52, 14, -48), (9, 11, 13)) < 1
    tissue[(cavity | antra | frontal) & head & ~brain & ~eyes] = AIR
    tissue[mastoid & head & ~brain] = BONE
    return {
        "tissue": tissue,
        "brain": brain | stem,
        "nose": nose & (y < -92),
        "eyes": eyes & head,
        "chin": chin,
    }


def mean_anatomy(points, who: Person) -> dict[str, Any]:
    """Give the same of the mean head, warped by up to 2.5 mm; tissues are told by brightness and place."""
    p = np.asarray(points, dtype=np.float32) / np.array(who.stretch, dtype=np.float32)
    waves = p / 17.0 + np.array([who.nose, who.chin, who.brow], dtype=np.float32)
    p = p + 2.5 * np.sin(waves[..., [1, 2, 0]])
    bright = _at(load_head().whole.image, p, 0.0)
    depth = _at(load_head().brain, p, -40.0)
    tissue = np.select(
        [bright < 25, depth > 0, (depth > -9) & (bright < 150), bright > 190],
        [AIR, np.where(bright > 170, WHITE, GREY), BONE, FAT],
        MUSCLE,
    )
    tip, left, right, chin = (np.linalg.norm(p - place, axis=-1) for place in LANDMARKS[:4])
    front = (p[..., 1] < -60) & (tissue != AIR)
    return {
        "tissue": tissue,
        "brain": depth > 0,
        "nose": (tip < 14) & front,
        "eyes": (np.minimum(left, right) < 12) & front,
        "chin": (chin < 14) & front,
    }


BRAIN_PLACE = np.array((0.381, -14.663, -2.351))
BRAIN_SHAPE = np.array(((0.852, 0.062, -0.008), (-0.067, 0.866, 0.142), (0.012, -0.116, 0.779)))
"""From the coordinates of MNI152 to the mean head's: what `making_head` prints."""


@functools.cache
def mni_brain() -> Any:
    """Give the brain of the MNI152 template as an image in LPS."""
    planes = mni_series()
    image = SimpleITK.GetImageFromArray(np.stack([plane.pixel_array for plane in planes]).astype(np.float32))
    image.SetOrigin([float(value) for value in planes[0].ImagePositionPatient])
    return image


def _at(image: Any, points: Any, outside: float) -> Any:
    """Interpolate linearly."""
    values = SimpleITK.GetArrayFromImage(image)
    index = (points - np.array(image.GetOrigin())) / np.array(image.GetSpacing())
    inside = ((index >= 0) & (index < np.array(image.GetSize()) - 1)).all(axis=-1)
    low = np.clip(np.floor(index), 0, np.array(image.GetSize()) - 2).astype(int)
    share = index - low
    total = np.zeros(points.shape[:-1])
    for corner in itertools.product((0, 1), repeat=3):
        weight = np.prod(np.where(corner, share, 1 - share), axis=-1)
        x, y, z = np.moveaxis(low + corner, -1, 0)
        total += weight * values[z, y, x]
    return np.where(inside, total, outside)


class Scan(NamedTuple):
    """How a head is scanned. Lengths in mm, angles in degrees."""

    plane: str = "axial"
    contrast: str = "MR"
    spacing: tuple[float, float, float] = (1.5, 1.5, 3.0)
    """Between columns, rows, slices."""
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of the head, about L, P, S."""
    tilt: float = 0.0
    """Of the gantry."""
    flips: tuple[bool, bool, bool] = (False, False, False)
    """Columns, rows, slices run the other way."""
    span: tuple[tuple[float, float], ...] = ((-96.0, 96.0), (-150.0, 118.0), (-140.0, 100.0))
    """What is scanned along L, P, S."""
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Where the head's origin lies in the patient's coordinates."""
    mean: bool = False
    """The mean head, warped; else one of ellipsoids."""
    real_brain: bool = False
    """With the brain of the MNI152 template (1 mm, nilearn) in it."""


AXES = {"axial": (0, 1, 2), "sagittal": (1, 2, 0), "coronal": (0, 2, 1)}


class Scanned(NamedTuple):
    """Objects, and the truth in the same order: (slices, rows, columns)."""

    objects: list[bytes]
    truth: dict[str, Any]
    values: Any
    """Stored."""
    places: Any
    """In the head's coordinates: (slices, rows, columns, 3)."""


def scan(seed: int, how: Scan, **attributes: Any) -> Scanned:
    """Scan a person's head."""
    columns, rows, positions, shape = _planes(how)
    turn = rotation(how.turn)
    places = (
        positions[:, None, None, :]
        + columns * how.spacing[0] * np.arange(shape[2])[None, None, :, None]
        + rows * how.spacing[1] * np.arange(shape[1])[None, :, None, None]
    )
    built = mean_anatomy if how.mean else anatomy
    places = (places - np.array(how.centre)) @ turn
    truth = built(places, person(seed))
    chance = np.random.default_rng([seed, 11])
    values = VALUES[how.contrast][truth["tissue"]] + chance.normal(
        0, NOISE[how.contrast], truth["tissue"].shape
    )
    modality = "CT" if how.contrast == "CT" else "MR"
    if how.real_brain:
        brain = _at(mni_brain(), (places - BRAIN_PLACE) @ np.linalg.inv(BRAIN_SHAPE).T, 0.0)
        truth["brain"] = brain > 0
        values = np.where(truth["brain"], 0.7 * brain, values)
    stored = np.rint(np.abs(values) if modality == "MR" else np.clip(values + 1024, 0, 4095)).astype(
        np.uint16
    )
    objects = images(stored, (columns, rows), positions, how, seed, **attributes)
    return Scanned([as_bytes(one) for one in objects], truth, stored, places)


def rotation(angles):
    a, b, c = np.radians(angles)
    about_l = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_p = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    about_s = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    return about_s @ about_p @ about_l


def _planes(how: Scan):
    along = AXES[how.plane]
    unit = np.eye(3)
    signs = [-1.0 if flipped else 1.0 for flipped in how.flips]
    if how.plane != "axial":
        signs[1] = -signs[1]  # the head's top is the picture's
    columns, rows = signs[0] * unit[along[0]], signs[1] * unit[along[1]]
    step = signs[2] * unit[along[2]] * how.spacing[2]
    lengths = [how.span[axis][1] - how.span[axis][0] for axis in along]
    shape = [int(length / size) + 1 for length, size in zip(lengths, how.spacing, strict=True)]
    first = np.zeros(3)
    for axis, sign in zip(along, signs, strict=True):
        first[axis] = how.span[axis][0 if sign > 0 else 1]
    lean = math.tan(math.radians(how.tilt)) * how.spacing[2] * rows
    middle = (shape[2] - 1) / 2
    positions = np.array([first + step * k + lean * (k - middle) for k in range(shape[2])]) + np.array(
        how.centre
    )
    return columns, rows, positions, (shape[2], shape[1], shape[0])


def images(stored, directions, positions, how, seed, **attributes):
    """Give a data set for each plane of (slices, rows, columns) stored values."""
    modality = "CT" if how.contrast == "CT" else "MR"
    made = []
    for index, (plane, position) in enumerate(zip(stored, positions, strict=True)):
        dataset = _image(plane, modality)
        dataset.SOPInstanceUID = f"2.25.{10**38 + seed * 10_000 + index}"
        dataset.StudyInstanceUID = f"2.25.{2 * 10**38 + seed}"
        dataset.SeriesInstanceUID = f"2.25.{2 * 10**38 + 10**9 + seed}"
        dataset.FrameOfReferenceUID = f"2.25.{2 * 10**38 + 2 * 10**9 + seed}"
        dataset.InstanceNumber = index + 1
        dataset.ImagePositionPatient = _decimals(position)
        dataset.ImageOrientationPatient = _decimals(np.concatenate(directions))
        dataset.PixelSpacing = _decimals([how.spacing[1], how.spacing[0]])
        dataset.SliceThickness = _decimals([how.spacing[2]])[0]
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        made.append(dataset)
    return made


def _image(values, modality):
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = SOP_CLASSES[modality]
    dataset.Modality = modality
    dataset.PatientID = "head"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    if modality == "CT":
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, -1024, "HU"
    dataset.PixelData = np.ascontiguousarray(values, dtype="<u2").tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def as_bytes(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _decimals(values) -> list[str]:
    return [f"{value:.10f}"[:16] for value in values]
