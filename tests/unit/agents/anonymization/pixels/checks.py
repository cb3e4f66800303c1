"""What must hold of a cleaned object, seen by pydicom and by eyes that know nothing of the detector."""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

from agents.anonymization.pixels.boxes import Box
from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.pixels.detector import Line
from agents.anonymization.policy.ready import BASIC
from tests.unit.agents.anonymization.pixels.drawn import drawn, ink


class Pointing:
    """Stands for the detector, which takes its time, where what it finds is not the question.

    It points to letters, or to nothing, whatever it is shown.
    """

    name = "pointing 1"

    def __init__(self, letters):
        rows, columns = np.nonzero(letters.any(axis=0))
        self._lines = []
        if len(rows):
            box = Box(*(int(end) for end in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)))
            self._lines = [Line(box, box.grown(2), 12.0, 0.99)]

    def lines(self, *_):
        return self._lines


def pointed(source, drawing=None):
    """Clean pixels of a drawing, that of a name when none is given."""
    return clean_pixels(source, BASIC, Pointing((drawing or drawn()).letters))


def decoded(part10):
    """Give (frames, rows, columns, samples) by pydicom alone, colours as stored, and the data set."""
    data = pydicom.dcmread(BytesIO(part10))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = pixel_array(BytesIO(part10), raw=True)
    return array.reshape(-1, data.Rows, data.Columns, data.SamplesPerPixel), data


def is_gone(part10, cleaned, letters, *, shape=None, at_most=0.5):
    """Check that letters are black, that nothing else changed, and that the letters' form is nowhere.

    `shape`: the form to be looked for. Gives the data set that came out.
    """
    before, _ = decoded(part10)
    after, new = decoded(cleaned.content)
    changed = (before != after).any(axis=-1)
    assert 0 < changed.mean() < at_most
    assert len(np.unique(after[changed], axis=0)) == 1, "what changed is black"
    # Text of a frame is black in all frames.
    assert (after[:, letters.any(axis=0)] == after[changed][0]).all()
    shape = ink() if shape is None else shape
    assert likeness(after, shape) < 0.6 < likeness(before, shape)
    return new


def likeness(frames, shape):
    """Find a form anywhere: its best correlation with what is there in any frame, by Fourier transform."""
    form = shape - shape.mean()
    best = 0.0
    for stored in frames[..., 0].astype(float):
        frame = (stored - stored.mean()) / max(np.ptp(stored), 1e-9)
        size = [side + own for side, own in zip(frame.shape, form.shape, strict=True)]
        inside = np.s_[: frame.shape[0] - form.shape[0], : frame.shape[1] - form.shape[1]]

        def correlated(values, kernel, size=size, inside=inside):
            spectrum = np.fft.rfft2(values, size) * np.conj(np.fft.rfft2(kernel, size))
            return np.fft.irfft2(spectrum, size)[inside]

        ones = np.ones(form.shape)
        mean = correlated(frame, ones) / form.size
        variance = np.maximum(correlated(frame**2, ones) / form.size - mean**2, 1e-4)
        found = correlated(frame, form) / np.sqrt(variance * form.size) / np.linalg.norm(form)
        best = max(best, float(np.abs(found).max()))
    return best
