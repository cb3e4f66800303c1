"""One object: pixels replaced in every encoding, references of the series followed."""

from __future__ import annotations

import hashlib
from importlib import resources
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from agents.anonymization.faces.head import HEAD_VERSION
from agents.anonymization.faces.writing import derived_uid, without_face
from tests.unit.agents.anonymization.faces.heads import Scan, as_bytes, images

FACE = np.zeros((4, 6), dtype=bool)
FACE[1:3, 2:5] = True
VALUES = np.arange(24, dtype=np.uint16).reshape(4, 6) + 900


def image(contrast="CT", **attributes):
    directions = np.array((1.0, 0.0, 0.0)), np.array((0.0, 1.0, 0.0))
    return images(VALUES[None], directions, np.zeros((1, 3)), Scan(contrast=contrast), 1, **attributes)[0]


def written(dataset, air=-1000.0, series=()):
    return pydicom.dcmread(BytesIO(without_face(dataset, FACE, air, series)))


@pytest.mark.parametrize(
    ("syntax", "comes_out"),
    [
        (ExplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ImplicitVRLittleEndian, ImplicitVRLittleEndian),
        (DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian),
        ("RLE", ExplicitVRLittleEndian),
    ],
)
def test_the_face_is_air_in_every_encoding(syntax, comes_out):
    dataset = image()
    if syntax == "RLE":
        dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    result = written(pydicom.dcmread(BytesIO(as_bytes(dataset))))
    assert result.file_meta.TransferSyntaxUID == comes_out
    assert (result.pixel_array == np.where(FACE, 24, VALUES)).all()  # -1000 HU with the intercept of -1024


def test_air_that_cannot_be_stored_is_the_nearest_value():
    assert written(image("MR"), air=-5.0).pixel_array[FACE].max() == 0
    assert written(image("MR"), air=70_000.0).pixel_array[FACE].min() == 4095


def test_the_range_of_values_is_of_what_is_left():
    result = written(image("MR", LargestImagePixelValue=923, SmallestImagePixelValue=900), air=7.0)
    assert (result.SmallestImagePixelValue, result.LargestImagePixelValue) == (7, 923)


def test_what_refers_to_the_series_refers_to_what_it_becomes():
    inner, outer = Dataset(), Dataset()
    inner.ReferencedSOPInstanceUID = "2.25.7"
    outer.ReferencedSOPInstanceUID = "2.25.8"
    outer.PurposeOfReferenceCodeSequence = Sequence([inner])
    result = written(image(ReferencedImageSequence=Sequence([outer])), series={"2.25.7"})
    (outer,) = result.ReferencedImageSequence
    assert outer.ReferencedSOPInstanceUID == "2.25.8"
    assert outer.PurposeOfReferenceCodeSequence[0].ReferencedSOPInstanceUID == derived_uid("2.25.7")


def test_uids_are_valid_and_of_one_length():
    uids = [derived_uid(f"2.25.{number}") for number in range(50)]
    assert {len(uid) for uid in uids} == {44}
    assert len(set(uids)) == 50


def test_the_version_of_the_mean_head_is_that_of_its_file():
    content = resources.files("agents.anonymization.faces").joinpath("head.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest()[:12] == HEAD_VERSION
