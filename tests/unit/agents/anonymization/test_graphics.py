"""Overlays, and annotations of presentation states."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from agents.anonymization.anonymize import anonymize
from agents.anonymization.graphics import NO_OVERLAYS, judge_overlays
from agents.anonymization.outcome import Anonymized
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import Action
from agents.anonymization.tools import Tools

GRAPHICS = Policy(name="tried", version=1, options=frozenset(["clean_graphics"]))
TEXT = np.array([[1, 0, 1, 0, 1, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 0, 0, 1]], dtype=np.uint8)
LINE = np.array([[1, 1, 1, 1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], dtype=np.uint8)


class Finder:
    """Knows one drawing to be text, and remembers what it was shown."""

    name = "finder 1"

    def __init__(self):
        self.shown = []

    def finds_text(self, image):
        self.shown.append(image)
        return bool((image // 255 == TEXT).all())


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


def overlay(data, group, *frames, big=False, **changes):
    values = {
        0x0010: ("US", 2),
        0x0011: ("US", 10),
        0x0015: ("IS", str(len(frames))),
        0x0022: ("LO", "drawn by Erika"),
        0x0040: ("CS", "G"),
        0x0050: ("SS", [1, 1]),
        0x0100: ("US", 1),
        0x0102: ("US", 0),
        0x1500: ("LO", "Mustermann"),
    }
    packed = np.packbits(np.stack(frames).reshape(-1), bitorder="little").tobytes()
    packed += b"\0" * (len(packed) % 2)
    if big:
        packed = np.frombuffer(packed, np.uint16).byteswap().tobytes()
    values[0x3000] = ("OW", packed)
    values |= {int(name[1:], 16): value for name, value in changes.items()}
    for element, (vr, value) in sorted(values.items()):
        if value is not None:
            data.add_new(group << 16 | element, vr, value)
    return data


def groups(data):
    return {element.tag.group for element in data if element.tag.group >> 8 == 0x60}


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
def test_a_drawing_without_text_stays_and_one_with_text_goes(ct, encode, key, syntax):
    data = overlay(ct(), 0x6000, LINE, LINE, big=syntax == "big")
    overlay(data, 0x6002, LINE, TEXT, big=syntax == "big")
    finder = Finder()
    result = anonymize(encode(data, syntax), key=key, policy=GRAPHICS, tools=Tools(text_finder=finder))
    out = opened(result)
    assert groups(out) == {0x6000}
    assert out[0x60000010].value == 2
    assert out[0x60003000].value == data[0x60003000].value
    assert sorted(image.tobytes() for image in finder.shown) == sorted(
        (image * 255).tobytes() for image in (LINE, LINE, LINE, TEXT)
    )
    assert {image.shape for image in finder.shown} == {(2, 10)}
    # What the group's texts say is cleaned by the same rule as other texts.
    assert b"Mustermann" not in result.content
    assert b"Erika" not in result.content


def test_what_the_finder_decided_is_said(ct, encode, key):
    tools = Tools(text_finder=Finder())
    without = anonymize(encode(ct()), key=key, policy=GRAPHICS, tools=tools)
    assert without.tools == ()
    assert without.policy == GRAPHICS.label
    result = anonymize(encode(overlay(ct(), 0x6000, LINE)), key=key, policy=GRAPHICS, tools=tools)
    assert result.tools == ("finder 1",)
    assert result.policy == GRAPHICS.label_with(["finder 1"]) != GRAPHICS.label
    assert list(opened(result).DeidentificationMethod) == [
        f"CHIPS {result.policy}, PS3.15 2026c",
        "finder 1",
    ]


def test_without_a_finder_no_overlay_stays(ct, encode, key):
    result = anonymize(encode(overlay(ct(), 0x6000, LINE)), key=key, policy=GRAPHICS)
    assert not groups(opened(result))


def test_without_the_option_no_overlay_stays(ct, encode, key):
    plain = Policy(name="tried", version=1)
    source = encode(overlay(ct(), 0x6000, LINE))
    assert not groups(opened(anonymize(source, key=key, policy=plain, tools=Tools(text_finder=Finder()))))


@pytest.mark.parametrize(
    "changes",
    [
        {"e0010": ("US", 5)},
        {"e0010": ("US", 0)},
        {"e0011": None},
        {"e0015": ("IS", "2")},
        {"e0015": ("IS", "-1")},
        {"e3000": ("OW", b"\xff\1Mustermann")},
        {"e3000": ("OW", b"\xff\1\0\1")},  # a bit beyond the drawing
        {"e3000": ("OW", b"")},
    ],
)
def test_a_drawing_that_is_not_what_its_group_says_goes(ct, encode, key, changes):
    changes = {name: value or ("US", None) for name, value in changes.items()}
    source = encode(overlay(ct(), 0x6000, LINE, **changes))
    result = anonymize(source, key=key, policy=GRAPHICS, tools=Tools(text_finder=Finder()))
    assert not groups(opened(result))


def test_nothing_else_of_a_group_stays(ct, encode, key):
    data = overlay(ct(), 0x6000, LINE)
    data.add_new(0x60000800, "CS", "ERIKA")  # Overlay Code Label, retired
    data.add_new(0x60001203, "US", 4711)
    out = opened(anonymize(encode(data), key=key, policy=GRAPHICS, tools=Tools(text_finder=Finder())))
    kept = {element.tag.elem for element in out if element.tag.group == 0x6000}
    assert kept == {0x10, 0x11, 0x15, 0x22, 0x40, 0x50, 0x100, 0x102, 0x3000}
    assert out[0x60000022].value == "drawn by [removed]"


def test_overlays_inside_items_and_of_other_groups_go(ct, encode, key):
    item = overlay(Dataset(), 0x6000, LINE)
    data = overlay(ct(), 0x6000, LINE)
    overlay(data, 0x6020, LINE)
    overlay(data, 0x60FE, LINE)
    data.add_new(0x52009229, "SQ", Sequence([item]))
    out = opened(anonymize(encode(data), key=key, policy=GRAPHICS, tools=Tools(text_finder=Finder())))
    assert groups(out) == {0x6000}
    assert len(out[0x52009229][0]) == 0


def test_a_drawing_too_large_is_not_looked_at():
    values = {0x60000010: b"\xff\xff", 0x60000011: b"\xff\xff", 0x60000100: b"\1\0", 0x60000102: b"\0\0"}
    judged = judge_overlays(values, lambda _: False, little=True)
    assert not judged.kept
    assert judged.decide(0x60003000).action is Action.REMOVE
    assert NO_OVERLAYS.decide(0x60000010).action is Action.REMOVE


def test_the_text_of_annotations_is_cleaned(ct, encode, key):
    text = Dataset()
    text.UnformattedTextValue = "seen by Erika"
    text.BoundingBoxAnnotationUnits = "PIXEL"
    annotation = Dataset()
    annotation.GraphicLayer = "LAYER1"
    annotation.TextObjectSequence = Sequence([text])
    out = opened(
        anonymize(encode(ct(GraphicAnnotationSequence=Sequence([annotation]))), key=key, policy=GRAPHICS)
    )
    (kept,) = out.GraphicAnnotationSequence
    assert kept.GraphicLayer == "LAYER1"
    assert kept.TextObjectSequence[0].BoundingBoxAnnotationUnits == "PIXEL"
    assert kept.TextObjectSequence[0].UnformattedTextValue == "seen by [removed]"
    plain = opened(
        anonymize(
            encode(ct(GraphicAnnotationSequence=Sequence([annotation]))),
            key=key,
            policy=Policy(name="tried", version=1),
        )
    )
    assert plain.GraphicAnnotationSequence[0].GraphicLayer == "ANONYMIZED"
