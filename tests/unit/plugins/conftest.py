"""Series in memory and in folders, as the plugins meet them."""

from __future__ import annotations

import contextlib
import hashlib
import io
from importlib import resources

import msgspec
import numpy as np
import pytest
import SimpleITK

from plugins.contract.results import read_result, write_input
from plugins.contract.sdk import main
from plugins.contract.types import InputInstance, Manifest, PluginInput
from plugins.imaging.assembling import assemble
from plugins.imaging.geometry import arrange
from plugins.phantom.ellipsoid import fill, lay_out
from plugins.phantom.series import series_of
from plugins.volumetry.headers import slice_headers
from plugins.volumetry.plugin import Parameters, run


class Ran:
    """A plugin's run: status, checked result (none if it failed), both streams, and the output folder."""

    def __init__(self, status, output, stdout, stderr):
        self.status = status
        self.output = output
        self.stdout = stdout
        self.stderr = stderr
        self.checked = read_result(output) if status == 0 else None
        self.result = self.checked.result if self.checked else None

    @property
    def codes(self):
        return [finding.code for finding in self.result.findings]

    @property
    def measures(self):
        return {measure.name: measure.value for measure in self.result.measures}

    @property
    def roles(self):
        return {file.artefact.role: file.path for file in self.checked.files}


def lay_input(folder, sources):
    """Write data sets, or copy files, as an input folder."""
    (folder / "instances").mkdir(parents=True)
    instances = []
    for index, source in enumerate(sources):
        path = folder / "instances" / f"{index}.dcm"
        if hasattr(source, "save_as"):
            source.save_as(path, enforce_file_format=True)
        else:
            path.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
        data = path.read_bytes()
        instances.append(
            InputInstance(
                instance=f"{index:032x}",
                path=f"instances/{index}.dcm",
                sha256=hashlib.sha256(data).hexdigest(),
                size=len(data),
            )
        )
    write_input(folder, PluginInput(project="default", series="0" * 32, version=1, instances=instances))


@pytest.fixture
def volumetry(tmp_path):
    """Run the plugin on data sets, files or bytes."""
    declaration = (resources.files("plugins.volumetry") / "plugin.json").read_bytes()
    manifest = msgspec.json.decode(declaration, type=Manifest)

    def go(sources):
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        lay_input(folder / "in", sources)
        (folder / "out").mkdir()
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            arguments = ["--input", str(folder / "in"), "--output", str(folder / "out")]
            status = main(manifest, run, Parameters, arguments)
        return Ran(status, folder / "out", stdout.getvalue(), stderr.getvalue())

    return go


def volume_of(spec, *, keep=lambda _index: True):
    """Arrange and assemble a phantom without files; `keep` says which slices exist."""
    voxels = fill(spec, lay_out(spec))
    headers = [
        header
        for index, dataset in enumerate(series_of(spec))
        if keep(index)
        for header in slice_headers(dataset, index)
    ]
    arranged = arrange(headers)
    volume, _ = assemble(arranged.arrangement, lambda header: voxels[header.source])
    return volume, arranged.findings


@pytest.fixture
def assembled():
    return volume_of


def marker_centres(image):
    """Find the markers of a phantom in an ITK image of modality values: their centroids in LPS mm."""
    voxels = SimpleITK.GetArrayFromImage(image)
    threshold = 510 if voxels.min() < 0 else 870
    parts = SimpleITK.ConnectedComponent(image > threshold, True)
    shapes = SimpleITK.LabelShapeStatisticsImageFilter()
    shapes.Execute(parts)
    return [np.array(shapes.GetCentroid(label)) for label in shapes.GetLabels()]


@pytest.fixture
def find_markers():
    return marker_centres
