"""Measures of a volume, with UCUM units. Pure."""

from __future__ import annotations

from plugins.contract.types import Coded, PluginMeasure
from plugins.imaging.intensity import Statistics, foreground_moments
from plugins.imaging.orientation import facing_of
from plugins.imaging.types import Volume

_AXES = (
    ("left_right", "left to right"),
    ("anterior_posterior", "front to back"),
    ("head_foot", "feet to head"),
)
_VOLUME = Coded(scheme="SCT", value="118565006", meaning="Volume")
_LENGTH = Coded(scheme="SCT", value="410668003", meaning="Length")


def measure(volume: Volume, found: Statistics, *, intensity_unit: str) -> list[PluginMeasure]:
    """Measure a volume.

    Parameters
    ----------
    volume
        In LPS.
    found
        Its intensities.
    intensity_unit
        UCUM unit of the voxels: ``[hnsf'U]``, ``Bq/mL``, or ``1`` for arbitrary.

    Returns
    -------
    list of PluginMeasure
        Extent and spacing along the array axis closest to each patient axis (mm; the extent counts whole
        voxels), number of voxels, foreground volume (mL) and its centre (LPS, mm), Otsu's threshold and
        percentiles.
    """
    facing = facing_of(volume.affine)
    size = volume.voxels.shape[::-1]
    spacing = volume.spacing
    measures: list[PluginMeasure] = []
    for (name, label), axis in zip(_AXES, facing.axes, strict=True):
        measures.append(
            _measure(f"extent_{name}", spacing[axis] * size[axis], "mm", f"Extent, {label}", _LENGTH)
        )
    for (name, label), axis in zip(_AXES, facing.axes, strict=True):
        measures.append(_measure(f"spacing_{name}", spacing[axis], "mm", f"Voxel spacing, {label}", None))
    for name, axis in zip(("columns", "rows", "slices"), range(3), strict=True):
        measures.append(_measure(name, size[axis], "1", name.capitalize(), None))
    count, centre = foreground_moments(volume, found.threshold)
    millilitres = count * spacing[0] * spacing[1] * spacing[2] / 1000.0
    measures.append(
        _measure("foreground_volume", millilitres, "mL", "Volume above Otsu's threshold", _VOLUME)
    )
    measures.append(
        _measure("foreground_threshold", found.threshold, intensity_unit, "Otsu's threshold", None)
    )
    if centre is not None:
        for axis_name, value in zip(("left", "posterior", "superior"), centre, strict=True):
            label = f"Centre of the foreground, {axis_name} (LPS)"
            measures.append(_measure(f"foreground_centre_{axis_name}", value, "mm", label, None))
    for level, value in found.percentiles.items():
        measures.append(
            _measure(f"intensity_p{level:02d}", value, intensity_unit, f"Intensity, percentile {level}", None)
        )
    return measures


def _measure(name: str, value: float, unit: str, label: str, code: Coded | None) -> PluginMeasure:
    return PluginMeasure(name=name, value=round(float(value), 6), unit=unit, label=label, code=code)
