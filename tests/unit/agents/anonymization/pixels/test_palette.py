from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_color_lut

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels.header import Header
from agents.anonymization.pixels.palette import palette_of
from agents.anonymization.pixels.picture import picture_of
from tests.unit.agents.anonymization.pixels.drawn import Kind, drawn, stored_as

COLOURS = "Red", "Green", "Blue"


def palette(**changes):
    data = pydicom.dcmread(BytesIO(stored_as(drawn(), Kind("PALETTE COLOR"))))
    for name, value in changes.items():
        for colour in COLOURS:
            if value is None:
                delattr(data, f"{colour}PaletteColorLookupTable{name}")
            else:
                prefix = "Segmented" if name == "Segmented" else ""
                end = "Data" if name == "Segmented" else name
                setattr(data, f"{prefix}{colour}PaletteColorLookupTable{end}", value)
    stream = BytesIO()
    data.save_as(stream)
    header = Header(stream.getvalue())
    return palette_of(header, picture_of(header)), data


def test_colours_are_those_of_pydicom():
    found, data = palette()
    expected = apply_color_lut(np.arange(256, dtype=np.uint8), data) >> 8
    assert np.array_equal(found, expected)


def test_a_table_that_begins_later_and_ends_sooner():
    found, _ = palette(Descriptor=[3, 10, 16], Data=struct.pack("<3H", 0x1000, 0x2000, 0x3000))
    assert found[[0, 10, 11, 12, 255], 0].tolist() == [0x10, 0x10, 0x20, 0x30, 0x30]


@pytest.mark.parametrize("data", [bytes(range(256)), struct.pack("<256H", *range(256))])
def test_bytes_are_read_as_bytes_and_as_words(data):
    found, _ = palette(Descriptor=[256, 0, 8], Data=data)
    assert found[:, 1].tolist() == list(range(256))


def test_bytes_that_are_said_to_be_words_are_not_taken_for_black():
    found, _ = palette(Descriptor=[256, 0, 16], Data=struct.pack("<256H", *range(256)))
    assert found[:, 1].tolist() == list(range(256))


def test_segments_are_expanded():
    # three values, then a line of 253 steps
    segments = struct.pack("<8H", 0, 3, 0, 5, 256, 1, 253, 256 + 253 * 200)
    found, _ = palette(Data=None, Segmented=segments)
    expected = [0, 5, 256, *(256 + step * 200 for step in range(1, 254))]
    assert found[:, 2].tolist() == [value >> 8 for value in expected]


@pytest.mark.parametrize(
    "changes",
    [
        {"Descriptor": [256, 0]},
        {"Data": b"\1\2"},
        {"Data": None},
        {"Data": None, "Segmented": struct.pack("<4H", 1, 5, 7, 0)},
        {"Data": None, "Segmented": struct.pack("<6H", 2, 1, 0, 0, 0, 0)},
        {"Data": None, "Segmented": struct.pack("<4H", 0, 300, 1, 2)},
    ],
)
def test_a_palette_that_can_not_be_read_stays_in(changes):
    with pytest.raises(Refusal) as refused:
        palette(**changes)
    assert refused.value.reason == "unsupported-pixels"
