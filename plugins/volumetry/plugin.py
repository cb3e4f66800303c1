"""The plugin's steps: read headers, arrange, assemble, measure, draw.

What the input lacks is a finding and ``not_a_volume``; only a defect of ours is a failure.
"""

from __future__ import annotations

import platform
import warnings
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import PIL
import pydicom
import SimpleITK
from numpy.typing import NDArray

from plugins.contract.sdk import Context, Report
from plugins.contract.types import ArtefactFile, PluginFinding
from plugins.imaging.assembling import Load, assemble
from plugins.imaging.geometry import arrange
from plugins.imaging.intensity import Window, statistics, window_of
from plugins.imaging.measures import measure
from plugins.imaging.nifti import nifti_gz
from plugins.imaging.pictures import flat_picture, key_slice, projection, strip
from plugins.imaging.render import render
from plugins.imaging.types import Arrangement, SliceHeader, Volume
from plugins.volumetry.reading import Header, Series, Undecodable

THREADS = 4
"""Of ITK: it would start one for each core of the host, beyond the container's limit of processes."""

MAX_LOST = 3
"""Planes that may be left out because they can't be decoded; each means to begin anew."""

FLAT_MODALITIES = {"CR", "DX", "MG", "US", "XA", "RF", "IO", "PX", "ES", "GM", "SM", "XC", "OP", "IVUS"}
"""Modalities whose images are projections or two-dimensional (PS3.3 C.7.3.1.1.1)."""
DERIVED_MODALITIES = {"SEG", "RTDOSE", "RTSTRUCT", "PR", "KO", "SR", "OT", "SC"}
"""Objects that are no acquired intensities."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """None yet: every choice follows from the images."""


def run(context: Context[Parameters]) -> Report:
    """Measure one series."""
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(THREADS)
    with warnings.catch_warnings():
        # pydicom quotes values of the header, and even pixels, in its warnings; they would land in the logs.
        warnings.simplefilter("ignore")
        return _run(context)


def _run(context: Context[Parameters]) -> Report:
    series = Series([context.path(instance) for instance in context.input.instances])
    findings: list[PluginFinding] = []
    context.progress(0.0, "reading headers")
    headers = _headers(series, len(context.input.instances), findings)
    planes = [plane for header in headers for plane in header.planes]
    modality = Counter(header.modality for header in headers).most_common(1)[0][0] if headers else ""
    refusal = _refusal(modality)
    if refusal is not None:
        findings.append(refusal)
        return _report("not_a_volume", findings, artefacts=_flat(context, series, planes, findings))
    volume = _volume(context, series, planes, findings)
    if volume is None:
        return _report("not_a_volume", findings, artefacts=_flat(context, series, planes, findings))
    return _measured(context, volume, headers[0], planes[0].photometric == "MONOCHROME1", findings)


def _headers(series: Series, count: int, findings: list[PluginFinding]) -> list[Header]:
    """Read what can be read; files that can't are one finding for each cause."""
    headers: list[Header] = []
    causes: Counter[str] = Counter()
    for source in range(count):
        try:
            headers.append(series.header(source))
        except Undecodable as error:
            causes[str(error)] += 1
    for cause, files in causes.most_common(8):
        message = f"{files} of {count} files are left out: {cause}"
        findings.append(_finding("unreadable-files", "warning" if headers else "error", message))
    return headers


def _refusal(modality: str) -> PluginFinding | None:
    if modality in FLAT_MODALITIES:
        return _finding("flat-modality", "info", f"{modality} images are two-dimensional, not slices")
    if modality in DERIVED_MODALITIES:
        return _finding("derived-object", "info", f"{modality} objects hold no acquired intensities")
    return None


def _flat(
    context: Context[Parameters], series: Series, planes: list[SliceHeader], findings: list[PluginFinding]
) -> list[ArtefactFile]:
    """Draw the middle image, so that a card has a picture of what is not a volume; none if it can't be."""
    if not planes:
        return []
    plane = planes[len(planes) // 2]
    try:
        image = series.values(plane)
    except Undecodable as error:
        findings.append(_finding("undecodable", "error", str(error)))
        return []
    if plane.photometric == "PALETTE COLOR":
        return []  # indices into a palette are no grey levels
    spacing = (plane.row_spacing or 1.0, plane.column_spacing or 1.0)
    data = flat_picture(image, spacing, inverted=plane.photometric == "MONOCHROME1")
    return [context.save("key-slice.webp", role="key_slice", media_type="image/webp", data=data)]


def _volume(
    context: Context[Parameters], series: Series, planes: list[SliceHeader], findings: list[PluginFinding]
) -> Volume | None:
    """Arrange and fill; a plane that can't be decoded is left out, like a missing one, if there are few."""
    left = list(planes)
    lost: list[SliceHeader] = []

    def load(header: SliceHeader) -> NDArray[Any]:
        try:
            return series.values(header)
        except Undecodable:
            lost.append(header)
            raise

    while True:
        arranged = arrange(left)
        if arranged.arrangement is None:
            findings += arranged.findings
            return None
        try:
            volume = _assembled(context, load, arranged.arrangement, findings)
        except Undecodable as error:
            many = len(lost) > MAX_LOST
            findings.append(_finding("undecodable", "error" if many else "warning", str(error)))
            if many:
                return None
            left.remove(lost[-1])
        else:
            findings += arranged.findings
            return volume


def _assembled(
    context: Context[Parameters], load: Load, arrangement: Arrangement, findings: list[PluginFinding]
) -> Volume:
    step = max(1, len(arrangement.placements) // 20)

    def advance(done: int, every: int) -> None:
        if done % step == 0:
            context.progress(0.05 + 0.55 * done / every, "reading slices")

    volume, grid = assemble(arrangement, load, advance=advance)
    if grid.reduction > 1:
        message = f"the series is very large; every {grid.reduction} x {grid.reduction} pixels are averaged"
        findings.append(_finding("reduced-resolution", "info", message))
    return volume


def _measured(
    context: Context[Parameters],
    volume: Volume,
    header: Header,
    inverted: bool,  # noqa: FBT001 - private, one call
    findings: list[PluginFinding],
) -> Report:
    hounsfield = header.modality == "CT" and header.rescale_type in {"", "HU"}
    unit = "[hnsf'U]" if hounsfield else "Bq/mL" if header.units == "BQML" else "1"
    context.progress(0.62, "measuring")
    found = statistics(volume.voxels)
    if found.foreground.size == 0:
        findings.append(_finding("flat-intensities", "warning", "all voxels have the same value"))
    measures = measure(volume, found, intensity_unit=unit)
    context.progress(0.7, "drawing")
    window = window_of(found, hounsfield=hounsfield, inverted=inverted)
    artefacts = _pictures(context, volume, window, found.threshold)
    context.progress(0.85, "writing the volume")
    artefacts.append(
        context.save_pieces(
            "volume.nii.gz", role="volume", media_type="application/gzip", pieces=nifti_gz(volume)
        )
    )
    context.progress(1.0, "done")
    return _report("measured", findings, artefacts=artefacts, measures=measures)


def _pictures(
    context: Context[Parameters], volume: Volume, window: Window, threshold: float
) -> list[ArtefactFile]:
    key, _ = key_slice(volume, window)
    drawn = [
        ("key-slice.webp", "key_slice", key),
        ("mip.webp", "mip", projection(volume, window)),
        ("render.webp", "render", render(volume, threshold)),
        ("strip.webp", "strip", strip(volume, window)),
    ]
    return [context.save(name, role=role, media_type="image/webp", data=data) for name, role, data in drawn]


def _report(outcome: Any, findings: list[PluginFinding], **parts: Any) -> Report:
    tools = {
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "pydicom": pydicom.__version__,
        "python": platform.python_version(),
        "simpleitk": SimpleITK.Version.VersionString(),
    }
    return Report(outcome=outcome, findings=findings[:32], tools=tools, **parts)


def _finding(code: str, severity: Any, message: str) -> PluginFinding:
    return PluginFinding(code=code, severity=severity, message=message)
