"""An attempt's folder: whole input, an output to fill, blobs that nothing can change through it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import msgspec
import pytest

from agents.dispatch.runner.collecting import collect
from agents.dispatch.runner.confinement import host_config
from agents.dispatch.runner.workplace import Workplace, size_of
from plugins.contract.errors import InvalidResult
from plugins.contract.types import PluginInput
from schemas.identity import BlobRef
from schemas.image import ManifestEntry, SeriesManifest
from schemas.job import WorkOrder
from streams.blobs import Blobs, Missing
from streams.errors import NoSpace, Unavailable
from tests.integration.probing import RESOURCES, manifest
from tests.unit.agents.flowing import PROJECT, key, uuid


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path / "blobs")


def order(blobs, images=3):
    entries = [
        ManifestEntry(instance=key(n), blob=blobs.put(PROJECT, b"image %d" % n, "application/dicom"))
        for n in range(images)
    ]
    listed = SeriesManifest(project=PROJECT, series=key(1), instances=entries)
    return WorkOrder(
        project=PROJECT,
        job=uuid("j"),
        study=key(1),
        series=key(1),
        version=4,
        modality="CT",
        plugin="probe",
        plugin_version="1.0",
        manifest=blobs.put(PROJECT, msgspec.json.encode(listed), "application/json"),
    )


@pytest.mark.parametrize("linked", [True, False])
def test_the_input_is_whole(tmp_path, blobs, linked):
    laid = Workplace(tmp_path / "work", blobs).lay_out(order(blobs), 1, 2, linked=linked)
    given = msgspec.json.decode((laid.folder / "input" / "input.json").read_bytes(), type=PluginInput)
    assert (given.project, given.series, given.version) == (PROJECT, key(1), 4)
    for number, instance in enumerate(given.instances):
        file = laid.folder / "input" / instance.path
        assert file.read_bytes() == b"image %d" % number
        assert file.stat().st_size == instance.size
        assert file.stat().st_gid == laid.group
        assert file.stat().st_mode & stat.S_IRGRP
        shared = file.stat().st_ino == blobs.path(PROJECT, instance.sha256).stat().st_ino
        assert shared == linked


def test_where_a_link_is_not_possible_it_is_a_copy(tmp_path, blobs, monkeypatch):
    def refuse(_self, _source):
        raise OSError(errno.EXDEV, "other file system")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    laid = Workplace(tmp_path / "work", blobs).lay_out(order(blobs), 1, 1, linked=True)
    copies = sorted((laid.folder / "input" / "instances").iterdir())
    assert [copy.read_bytes() for copy in copies] == [b"image 0", b"image 1", b"image 2"]


def test_the_output_can_be_written_by_the_container_alone(tmp_path, blobs):
    workplace = Workplace(tmp_path / "work", blobs)
    output = workplace.lay_out(order(blobs), 1, 1, linked=True).folder / "output"
    if os.geteuid() == 0:
        assert (output.stat().st_uid, stat.S_IMODE(output.stat().st_mode)) == (10_001, 0o700)
    else:
        assert stat.S_IMODE(output.stat().st_mode) == 0o777
    assert stat.S_IMODE(workplace.root.stat().st_mode) == 0o700


def test_a_missing_blob_is_told_as_such(tmp_path, blobs):
    wanted = order(blobs)
    blobs.path(PROJECT, blobs.put(PROJECT, b"image 1", "application/dicom")).unlink()
    with pytest.raises(Missing):
        Workplace(tmp_path / "work", blobs).lay_out(wanted, 1, 1, linked=True)


@pytest.mark.parametrize(("number", "family"), [(errno.ENOSPC, NoSpace), (errno.EIO, Unavailable)])
def test_a_failing_disk_is_unavailable(tmp_path, blobs, monkeypatch, number, family):
    wanted = order(blobs)

    def fail(*_arguments, **_options):
        raise OSError(number, "the disk")

    monkeypatch.setattr("shutil.copyfile", fail)
    with pytest.raises(family):
        Workplace(tmp_path / "work", blobs).lay_out(wanted, 1, 1, linked=False)


def test_folders_are_found_again_and_removed(tmp_path, blobs):
    workplace = Workplace(tmp_path / "work", blobs)
    laid = workplace.lay_out(order(blobs), 2, 7, linked=True)
    assert [(left.project, left.job) for left in workplace.left()] == [(PROJECT, uuid("j"))]
    workplace.remove(tmp_path)
    workplace.remove(workplace.root)
    assert laid.folder.is_dir()
    workplace.remove(laid.folder)
    assert not list(workplace.left())
    assert blobs.exists(PROJECT, blobs.put(PROJECT, b"image 1", "application/dicom"))


def test_sizes_add_up_and_links_are_not_followed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(bytes(1000))
    (tmp_path / "two").write_bytes(bytes(500))
    (tmp_path / "link").symlink_to("/bin/sh")
    assert 1500 <= size_of(tmp_path) < 1600


@pytest.mark.parametrize(("machine", "given"), [(1, 1), (2, 2), (64, 2)])
def test_a_container_gets_no_more_processors_than_there_are(tmp_path, machine, given):
    # What the rest does is seen inside a container, in tests/integration/test_runner_docker.py.
    assert host_config(RESOURCES, tmp_path, 7, cpus=machine)["nano_cpus"] == given * 10**9


def result(**changed):
    return {
        "plugin": "probe",
        "version": "1.0",
        "outcome": "measured",
        "artefacts": [],
        "measures": [],
        "findings": [],
        "tools": {},
    } | changed


def collected(blobs, folder, **changed):
    (folder / "result.json").write_bytes(msgspec.json.encode(result(**changed)))
    return collect(blobs, order(blobs), manifest(), folder, fencing=2, attempt=1, seconds=1.23456)


def test_a_result_becomes_a_report(tmp_path, blobs):
    (tmp_path / "v.nii.gz").write_bytes(b"volume")
    report = collected(
        blobs,
        tmp_path,
        artefacts=[{"name": "v", "path": "v.nii.gz", "media_type": "application/gzip", "role": "volume"}],
        measures=[{"name": "volume", "value": 2.5, "unit": "mL"}],
        findings=[{"code": "gap", "severity": "warning", "message": "m"}],
    )
    assert blobs.path(PROJECT, report.artefacts[0].blob).read_bytes() == b"volume"
    assert isinstance(report.artefacts[0].blob, BlobRef)
    assert (report.measures[0].value, report.findings[0].code, report.seconds) == (2.5, "gap", 1.235)


@pytest.mark.parametrize(
    "changed",
    [
        {"plugin": "other"},
        {"version": "9"},
        {"artefacts": [{"name": "v", "path": "no", "media_type": "image/png", "role": "mip"}]},
        {"findings": [{"code": "gap", "severity": "info", "message": "€" * 512}] * 32},
    ],
)
def test_a_result_that_breaks_the_contract_is_none(tmp_path, blobs, changed):
    with pytest.raises(InvalidResult):
        collected(blobs, tmp_path, **changed)
