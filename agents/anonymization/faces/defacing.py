"""The face taken out of a series of CT or MR images of the head (DICOM PS3.15, E.3.2).

The steps: read where planes lie; assemble a coarse volume; find the head in it; say where the face is in each
plane; replace it; look at what was written. Who can't be sure at one of them refuses: the series stays in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import SimpleITK

from agents.anonymization.faces.checking import check_removed
from agents.anonymization.faces.finding import Fit, find
from agents.anonymization.faces.head import Head, load_head
from agents.anonymization.faces.judging import is_head
from agents.anonymization.faces.removing import removal_in
from agents.anonymization.faces.series import Series, Values, decoded, open_object, orientations, read_series
from agents.anonymization.faces.volume import FINE_MM, coarse_volume, compared, fine_volume
from agents.anonymization.faces.writing import without_face
from agents.anonymization.outcome import Refusal
from plugins.imaging.geometry import arrange
from plugins.imaging.types import Arrangement


def deface(objects: Sequence[bytes]) -> list[bytes]:
    """Take the face out of one series.

    Parameters
    ----------
    objects
        DICOM Part 10 files, already anonymized: CT or MR images of one series and of one frame each, in any
        order. Of each position, phase or echo there may be several.

    Returns
    -------
    list of bytes
        In the same order, all of them marked as derived, with SOP Instance UIDs of their own. That `TOOL`
        decided is for the caller to say (`agents.anonymization.method.with_method`).

    Raises
    ------
    agents.anonymization.outcome.Refusal
        ``face-not-removed``: nobody can be sure where the face is, or that nothing is left of it.

    Notes
    -----
    Deterministic: the same objects and the same `TOOL` give the same bytes.
    Memory: the series twice, and about 150 MB. Blocks for seconds: call it off the event loop.
    """
    series = read_series(objects)
    arrangement = _volume_of(series)
    with _one_thread():
        return _defaced(objects, series, arrangement)


def _defaced(objects: Sequence[bytes], series: Series, arrangement: Arrangement) -> list[bytes]:
    head = load_head()
    fine = fine_volume(arrangement, Values(objects))
    before = coarse_volume(fine, hounsfield=series.hounsfield)
    fit = find(head.whole, compared(before, hounsfield=series.hounsfield), before)
    if fit is None or not is_head(fit):
        raise Refusal("face-not-removed", "Nobody can be sure where in the images the face is.")
    result = _replaced(objects, series, head, fit, before.air)
    old, new = (
        coarse_volume(volume, hounsfield=series.hounsfield, spacing=FINE_MM, threshold=before.threshold)
        for volume in (fine, fine_volume(arrangement, Values(result)))
    )
    check_removed(old, new, fit, head, arrangement.spacing[2])
    return result


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let ITK sum in one order: the metric's last bits would differ from run to run.

    What a registration is told of threads does not reach its metric; the default of the process does.
    """
    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _volume_of(series: Series) -> Arrangement:
    """Choose the planes that a head is looked for in: the largest stack of one orientation."""
    stack = arrange(orientations(series.planes)[0]).arrangement
    if stack is None:
        raise Refusal("face-not-removed", "The images do not form a volume in which a face could be found.")
    return stack


def _replaced(objects: Sequence[bytes], series: Series, head: Head, fit: Fit, air: float) -> list[bytes]:
    """Write the objects without a face, and compare each with what it was."""
    planes = sorted(series.planes, key=lambda plane: plane.source)
    result: list[bytes] = []
    touched = False
    for plane, content in zip(planes, objects, strict=True):
        removal = removal_in(plane, head, fit)
        written = without_face(open_object(content), removal.face, air, series.instances)
        changed = decoded(open_object(content)) != decoded(open_object(written))
        if (changed & ~removal.face).any() or (changed & removal.brain).any():
            raise Refusal("face-not-removed", "More than the face was changed.")
        touched = touched or bool(removal.face.any())
        result.append(written)
    if not touched:
        raise Refusal("face-not-removed", "The face lies outside the images, or was not found.")
    return result
