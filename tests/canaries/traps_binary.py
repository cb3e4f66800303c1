"""Traps made of values that are no text: profiles, tables, waves, numbers, pixels, icons, graphics."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.canaries.classes_more import waveform
from tests.canaries.drawn import background, draw, line, shown
from tests.canaries.table_objects import unknown
from tests.canaries.traps import Trap, setting, trap
from tests.canaries.writing import frames_of


def _binary(name: str, tag: int, vr: str, *, nested: bool = False) -> None:
    def make() -> Trap:
        made = setting()
        value = f"desc {made.person.name} {made.person.patient_id}  ".encode()
        target = Dataset() if nested else made.data
        target.add_new(tag, vr, value[: len(value) & ~7])
        if nested:
            made.data.OpticalPathSequence = Sequence([target])
        return made.trap()

    trap(f"binary: {name}")(make)


_binary("ICC profile", 0x00282000, "OB")
_binary("ICC profile of an optical path", 0x00282000, "OB", nested=True)
_binary("palette", 0x00281201, "OW")
_binary("lookup table", 0x00283006, "OW", nested=True)
_binary("plotter document", 0x00686300, "OB")
_binary("fill pattern", 0x00700256, "OB")
_binary("pixels inside of a sequence", 0x7FE00010, "OW", nested=True)
_binary("float pixels", 0x7FE00008, "OF")
_binary("record key", 0x0008041B, "OB")
_binary("waveform at the top", 0x54001010, "OW")


@trap("binary: images beside the image, and attributes without a name")
def beside() -> Trap:
    made = setting()
    words = {}
    for tag, vr in (
        *((0x7FE00008, "OF"), (0x7FE00009, "OD"), (0x56000020, "OF"), (0x7FE00020, "OW"), (0x00080202, "OB")),
        *((0x00720069, "OW"), (0x00720062, "CS"), (0x40101006, "OB"), (0x00143080, "OB")),
    ):
        words[f"{tag:08x}"] = made.words.word(16)
        made.data.add_new(tag, vr, words[f"{tag:08x}"] if vr == "CS" else words[f"{tag:08x}"].encode())
    return made.trap(**words)


@trap("binary: the waveform of a wave's object")
def wave() -> Trap:
    made = setting()
    made = made._replace(data=waveform(made.words, made.person))
    group = made.data.WaveformSequence[0]
    group[0x54001010].value = made.person.name.encode().ljust(400, b"\0")
    return made.trap()


def _numbers(name: str, tag: int, vr: str, form: str) -> None:
    def make() -> Trap:
        made = setting()
        text = f"{made.person.name} {made.person.patient_id}".encode().ljust(64)
        made.data.add_new(tag, vr, list(np.frombuffer(text, dtype=form).tolist()))
        return made.trap()

    trap(f"binary: letters as numbers, {name}")(make)


_numbers("US", 0x00540010, "US", "<u2")
_numbers("UL", 0x00081161, "UL", "<u4")


@trap("binary: a text attribute as unknown")
def text_as_unknown() -> Trap:
    made = setting()
    made.data[0x00080070] = unknown(0x00080070, made.person.family.encode())
    made.data[0x00181210] = unknown(0x00181210, made.person.given.encode())
    return made.trap()


@trap("pixels: letters behind the image")
def excess() -> Trap:
    made = setting()
    made.data.PixelData += made.person.name.encode().ljust(64)
    return made.trap()


def _drawn(name: str, shift: int, **more: object) -> None:
    """Draw a name into a bit of each pixel that is no part of the value."""

    def make() -> Trap:
        made = setting()
        drawn = line(made.person.family, 8, 40, 18)
        shown(made.data, background(5), bits=16)
        values = frames_of(made.data).copy()
        ink = draw(np.zeros(values.shape, dtype=np.uint8), [drawn], 1)
        made.data.PixelData = (values | (ink.astype("<u2") << shift)).tobytes()
        for keyword, value in more.items():
            setattr(made.data, keyword, value)
        return made.trap()._replace(lines=(drawn,))

    trap(f"pixels: {name}")(make)


_drawn("a name in the unused bits", 12)
_drawn("a name in the highest bit", 15)


@trap("pixels: an icon")
def icon() -> Trap:
    made = setting()
    small = shown(Dataset(), background(5))
    small.PixelData = made.person.name.encode().ljust(len(small.PixelData))
    made.data.IconImageSequence = Sequence([small])
    holder = Dataset()
    holder.IconImageSequence = Sequence([small])
    made.data.AnatomicRegionSequence = Sequence([holder])
    return made.trap()


@trap("graphics: annotations in an image")
def annotations() -> Trap:
    made = setting()
    text = Dataset()
    text.UnformattedTextValue = made.words.word()
    layer = Dataset()
    layer.GraphicLayer, layer.TextObjectSequence = "XLAYER", Sequence([text])
    compound = Dataset()
    compound.CompoundGraphicType, compound.CompoundGraphicInstanceID = "RULER", 1
    compound.add_new(0x00700289, "SH", made.words.word())
    layer.CompoundGraphicSequence = Sequence([compound])
    made.data.GraphicAnnotationSequence = Sequence([layer])
    trap = made.trap(text=text.UnformattedTextValue, tick=compound[0x00700289].value)
    return trap._replace(keepers=dict.fromkeys(("text", "tick"), "clean_graphics"))
