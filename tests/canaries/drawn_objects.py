"""Images into which a name was drawn: of each class that may carry one, in each interpretation and syntax."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pydicom.dataset import Dataset

from tests.canaries.classes import IMAGES
from tests.canaries.drawn import Line, background, draw, line, shown
from tests.canaries.person import Person, make_person
from tests.canaries.words import Words
from tests.canaries.writing import COMPRESSED, compressed, written


class Drawn(NamedTuple):
    """A file, what was drawn into it, and the box in which its device says that it has nothing but tissue."""

    content: bytes
    lines: list[Line]


def lines_about(person: Person) -> list[Line]:
    """Give lines as devices draw them: corners, sizes, inside of the picture."""
    return [
        line(f"{person.family.upper()} {person.given}", 4, 3),
        line(f"ID {person.patient_id}", 4, 20, 11),
        line(f"{person.born:%d.%m.%Y}", 220, 3, 12),
        line(f"Dr. {person.physician}", 90, 150, 16),
        line(person.institution, 4, 220, 13),
    ]


def drawn(
    kind: str,
    interpretation: str = "RGB",
    *,
    bits: int = 8,
    frames: int = 1,
    syntax: str = "explicit",
    **says: object,
) -> Drawn:
    """Draw into an object of a class that says this and that of itself."""
    words = Words(41)
    person = make_person(words)
    data: Dataset = IMAGES[kind](words, person)
    lines = lines_about(person)
    shown(data, draw(background(42, frames), lines), interpretation, bits)
    for keyword, value in says.items():
        setattr(data, keyword, value)
    for region in data.get("SequenceOfUltrasoundRegions", ()):
        region.RegionLocationMinX0, region.RegionLocationMinY0 = 20, 40
        region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 300, 210
    if syntax in COMPRESSED:
        compressed(data, syntax)
    return Drawn(written(data, syntax), lines)


SCREEN = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
MARKED: dict[str, Callable[[], Drawn]] = {
    "ultrasound": lambda: drawn("us"),
    "ultrasound, planes": lambda: drawn("us", "RGB planes"),
    "ultrasound, YBR": lambda: drawn("us", "YBR_FULL"),
    "ultrasound, grey": lambda: drawn("us", "MONOCHROME2"),
    "ultrasound, palette": lambda: drawn("us", "PALETTE COLOR"),
    "ultrasound, three frames": lambda: drawn("us frames", frames=3),
    "ultrasound, implicit": lambda: drawn("us", syntax="implicit"),
    "ultrasound, big endian": lambda: drawn("us", syntax="big"),
    "ultrasound, deflated": lambda: drawn("us", syntax="deflated"),
    **{
        f"ultrasound, {syntax}": (lambda syntax=syntax: drawn("us frames", frames=2, syntax=syntax))
        for syntax in COMPRESSED
    },
    "capture": lambda: drawn("sc"),
    "capture, inverted": lambda: drawn("sc", "MONOCHROME1"),
    "capture of sixteen bits": lambda: drawn("sc", "MONOCHROME2", bits=16),
    "photograph": lambda: drawn("photograph"),
    "radiograph": lambda: drawn("cr", "MONOCHROME1", bits=16),
    "marked radiograph": lambda: drawn("dx", "MONOCHROME2", bits=16, BurnedInAnnotation="YES"),
    "marked angiography": lambda: drawn("xa", "MONOCHROME2", frames=2, BurnedInAnnotation="YES"),
    "marked CT": lambda: drawn("ct", "MONOCHROME2", bits=16, BurnedInAnnotation="YES"),
    "screen of a CT": lambda: drawn("ct", "MONOCHROME2", bits=16, ImageType=SCREEN),
    "screen of a CT in colour": lambda: drawn("ct", "RGB"),
}
"""Images whose class or header makes text in them likely."""

UNMARKED: dict[str, Callable[[], Drawn]] = {
    "CT": lambda: drawn("ct", "MONOCHROME2", bits=16),
    "MR": lambda: drawn("mr", "MONOCHROME2", bits=16),
    "radiograph that denies it": lambda: drawn("dx", "MONOCHROME2", bits=16),
}
"""Images of which nothing but a look at their pixels says that there is text. At slices nobody looks."""
