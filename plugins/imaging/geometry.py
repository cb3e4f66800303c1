"""Decide whether planes are a volume, and where each lies. Pure.

Volumes are always made orthogonal and uniform: gaps are filled and sheared stacks straightened by linear
interpolation, because neither ITK nor NIfTI's quaternion knows shear and viewers differ in how they draw it.
Each such change is a finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from plugins.contract.types import PluginFinding, Severity
from plugins.imaging.types import Arranged, Arrangement, Floats, Placement, SliceHeader, Vector

MIN_SLICES = 3
"""Fewer do not show whether they are evenly spaced."""
ANGLE_DEGREES = 0.1
"""Orientations that differ by less are one orientation (headers carry 6 digits)."""
SAME_PLACE = 0.02
"""Share of the spacing within which two planes lie at one position."""
UNEVEN = 0.05
"""Share of the spacing by which distances may differ and still be called even."""
MAX_MISSING = 0.25
"""Share of missing slices beyond which the series is not one volume."""
MAX_SHIFT = 2.0
"""Largest in-plane shift of a plane, as a share of the image's size, that is straightened."""
GRID_STEPS = 65_536
"""Most slices that a volume may have."""


def arrange(headers: Sequence[SliceHeader]) -> Arranged:
    """Sort planes into a volume.

    Parameters
    ----------
    headers
        Planes in any order.

    Returns
    -------
    Arranged
        With findings of these codes: ``no-images``, ``colour-image``, ``missing-position``,
        ``missing-spacing``, ``mixed-sizes``, ``mixed-orientations``, ``mixed-spacings``,
        ``several-per-position``, ``duplicate-slices``, ``too-few-slices``, ``missing-slices``,
        ``uneven-spacing``, ``too-many-gaps``, ``sheared``, ``too-sheared``.
    """
    findings: list[PluginFinding] = []
    if not headers:
        return Arranged(arrangement=None, findings=[_finding("no-images", "error", "there are no images")])
    if any(header.samples != 1 or not header.photometric.startswith("MONOCHROME") for header in headers):
        findings.append(_finding("colour-image", "info", "colour images are not a volume of intensities"))
        return Arranged(arrangement=None, findings=findings)
    placed = _with_geometry(headers, findings)
    placed = _majority(placed, findings)
    if not placed:
        return Arranged(arrangement=None, findings=findings)
    return _stack(placed, findings)


def normal_of(header: SliceHeader) -> Floats:
    """Give the unit normal of a plane: row direction times column direction."""
    normal = np.cross(np.array(header.row_direction), np.array(header.column_direction))
    return np.asarray(normal / np.linalg.norm(normal), dtype=np.float64)


def _with_geometry(headers: Sequence[SliceHeader], findings: list[PluginFinding]) -> list[SliceHeader]:
    positioned = [header for header in headers if _has_plane(header)]
    if len(positioned) < len(headers):
        missing = len(headers) - len(positioned)
        severity: Severity = "warning" if positioned else "error"
        message = f"{missing} of {len(headers)} images do not say where they lie in the patient"
        findings.append(_finding("missing-position", severity, message, missing=missing))
    spaced = [h for h in positioned if (h.row_spacing or 0) > 0 and (h.column_spacing or 0) > 0]
    if len(spaced) < len(positioned):
        missing = len(positioned) - len(spaced)
        severity = "warning" if spaced else "error"
        message = (
            f"{missing} of {len(headers)} images have no Pixel Spacing, so nothing can be measured in mm"
        )
        findings.append(_finding("missing-spacing", severity, message, missing=missing))
    return spaced


def _has_plane(header: SliceHeader) -> bool:
    if header.position is None or header.row_direction is None or header.column_direction is None:
        return False
    values = np.array([header.position, header.row_direction, header.column_direction])
    if not np.isfinite(values).all():
        return False
    _, row, column = values
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    unit = all(abs(length - 1) < 0.01 for length in lengths)  # noqa: PLR2004 - one per cent: 6 digits in headers
    return unit and abs(float(row @ column)) < 0.01  # noqa: PLR2004 - likewise


def _majority(headers: list[SliceHeader], findings: list[PluginFinding]) -> list[SliceHeader]:
    """Keep the largest group of one size, then of one orientation, then of one spacing."""
    headers = _largest(headers, _by_size(headers), "mixed-sizes", "image sizes", findings)
    headers = _largest(headers, _by_orientation(headers), "mixed-orientations", "orientations", findings)
    return _largest(headers, _by_spacing(headers), "mixed-spacings", "pixel spacings", findings)


def _by_size(headers: list[SliceHeader]) -> list[int]:
    sizes = [(header.rows, header.columns) for header in headers]
    return [sizes.index(size) for size in sizes]


def _by_orientation(headers: list[SliceHeader]) -> list[int]:
    """Group by angle to the first member; comparing with rounded values would split at their borders."""
    cosine = np.cos(np.radians(ANGLE_DEGREES))
    leaders: list[tuple[Floats, Floats]] = []
    groups: list[int] = []
    for header in headers:
        row, column = np.array(header.row_direction), np.array(header.column_direction)
        row, column = row / np.linalg.norm(row), column / np.linalg.norm(column)
        for index, (leader_row, leader_column) in enumerate(leaders):
            if row @ leader_row >= cosine and column @ leader_column >= cosine:
                groups.append(index)
                break
        else:
            groups.append(len(leaders))
            leaders.append((row, column))
    return groups


def _by_spacing(headers: list[SliceHeader]) -> list[int]:
    spacings = [(round(h.row_spacing or 0, 3), round(h.column_spacing or 0, 3)) for h in headers]
    return [spacings.index(spacing) for spacing in spacings]


def _largest(
    headers: list[SliceHeader], groups: list[int], code: str, noun: str, findings: list[PluginFinding]
) -> list[SliceHeader]:
    counts = Counter(groups)
    if len(counts) <= 1:
        return headers
    group, size = max(counts.items(), key=lambda item: (item[1], -item[0]))
    message = (
        f"{len(counts)} {noun} in one series; the largest group, {size} of {len(headers)} images, is used"
    )
    findings.append(_finding(code, "warning", message, groups=len(counts), used=size))
    return [header for header, member in zip(headers, groups, strict=True) if member == group]


def _stack(headers: list[SliceHeader], findings: list[PluginFinding]) -> Arranged:
    first = headers[0]
    normal = normal_of(first)
    ordered = sorted(
        headers, key=lambda h: (float(np.array(h.position) @ normal), h.order, h.source, h.frame)
    )
    ordered = _one_per_position(ordered, normal, findings)
    if len(ordered) < MIN_SLICES:
        message = f"{len(ordered)} slices at different positions; a volume needs at least {MIN_SLICES}"
        findings.append(_finding("too-few-slices", "info", message, slices=len(ordered)))
        return Arranged(arrangement=None, findings=findings)
    positions = np.array([header.position for header in ordered], dtype=np.float64)
    heights = (positions - positions[0]) @ normal
    step, slices = _spacing(heights, findings)
    if slices == 0:
        return Arranged(arrangement=None, findings=findings)
    row, column = _orthonormal(first, normal)
    shifts = np.stack([(positions - positions[0]) @ row, (positions - positions[0]) @ column], axis=1)
    straightened = _shear(shifts, heights, ordered[0], findings)
    if straightened is None:
        return Arranged(arrangement=None, findings=findings)
    placements = tuple(
        Placement(header=header, height=float(height), shift=(float(shift[0]), float(shift[1])))
        for header, height, shift in zip(ordered, heights, straightened, strict=True)
    )
    arrangement = Arrangement(
        placements=placements,
        row_direction=_vector(row),
        column_direction=_vector(column),
        normal=_vector(normal),
        origin=_vector(positions[0]),
        spacing=(float(first.column_spacing or 0), float(first.row_spacing or 0), step),
        slices=slices,
    )
    return Arranged(arrangement=arrangement, findings=findings)


def _one_per_position(
    ordered: list[SliceHeader], normal: Floats, findings: list[PluginFinding]
) -> list[SliceHeader]:
    """Keep the plane of lowest order at each position: the first phase, echo or acquisition."""
    heights = np.array([float(np.array(header.position) @ normal) for header in ordered])
    distances = np.diff(heights)
    apart = distances[distances > 1e-3]  # noqa: PLR2004 - mm: what 6 digits of a header can tell apart
    tolerance = max(1e-3, SAME_PLACE * float(np.median(apart))) if apart.size else 1e-3
    groups: list[list[SliceHeader]] = []
    at = -np.inf
    for header, height in zip(ordered, heights, strict=True):
        if height - at > tolerance:
            groups.append([])
            at = float(height)
        groups[-1].append(header)
    if len(groups) < len(ordered):
        sizes = {len(group) for group in groups}
        extra = len(ordered) - len(groups)
        if len(sizes) == 1 and len(groups) >= MIN_SLICES:
            each = sizes.pop()
            message = f"{each} images at every position (phases, echoes or weightings); the first is measured"
            findings.append(_finding("several-per-position", "warning", message, each=each))
        else:
            message = f"{extra} images lie where another one is; the first of each is used"
            findings.append(_finding("duplicate-slices", "warning", message, duplicates=extra))
    return [min(group, key=lambda h: (h.order, h.source, h.frame)) for group in groups]


def _spacing(heights: Floats, findings: list[PluginFinding]) -> tuple[float, int]:
    """Give the distance of slices in mm and their count with missing ones; count 0: not one volume."""
    distances = np.diff(heights)
    typical = float(np.median(distances))
    counts = np.maximum(1, np.rint(distances / typical))
    missing = int(counts.sum() - counts.size)
    slices = int(counts.sum()) + 1
    step = float(heights[-1] / counts.sum())
    if slices > GRID_STEPS or missing > MAX_MISSING * slices:
        message = f"{missing} slices are missing between {heights.size}: not one volume"
        findings.append(_finding("too-many-gaps", "error", message, missing=missing))
        return step, 0
    if missing:
        message = f"{missing} of {slices} slices are missing; they are filled by interpolation"
        findings.append(_finding("missing-slices", "warning", message, missing=missing, slices=slices))
    worst = float(np.abs(distances / counts - step).max())
    if worst > UNEVEN * step:
        low, high = float((distances / counts).min()), float((distances / counts).max())
        message = f"slices lie {low:.3g} to {high:.3g} mm apart; resampled to {step:.3g} mm"
        findings.append(_finding("uneven-spacing", "warning", message, low=low, high=high))
    return step, slices


def _shear(
    shifts: Floats, heights: Floats, header: SliceHeader, findings: list[PluginFinding]
) -> Floats | None:
    """Give in-plane shifts that matter; zeros if they are below a tenth of a voxel; none if beyond use."""
    voxel = np.array([header.column_spacing or 1.0, header.row_spacing or 1.0])
    largest = np.abs(shifts).max(axis=0)
    if (largest < 0.1 * voxel).all():
        return np.zeros_like(shifts)
    size = voxel * np.array([header.columns, header.rows])
    angle = float(np.degrees(np.arctan2(np.linalg.norm(shifts[-1] - shifts[0]), heights[-1])))
    if (largest > MAX_SHIFT * size).any():
        message = "images drift sideways by more than twice their size: not one volume"
        findings.append(_finding("too-sheared", "error", message, degrees=angle))
        return None
    message = f"slices are stacked at {angle:.1f} degrees to their normal (tilted gantry); straightened"
    findings.append(_finding("sheared", "info", message, degrees=round(angle, 3)))
    return shifts


def _orthonormal(header: SliceHeader, normal: Floats) -> tuple[Floats, Floats]:
    row = np.array(header.row_direction, dtype=np.float64)
    row = row / np.linalg.norm(row)
    return row, np.cross(normal, row)


def _vector(values: Floats) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


def _finding(code: str, severity: Severity, message: str, **detail: float) -> PluginFinding:
    return PluginFinding(code=code, severity=severity, message=message, detail=dict(detail))
