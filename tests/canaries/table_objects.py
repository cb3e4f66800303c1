"""Every attribute of Table E.1-1 with a value of its own: at the top, and in every kind of sequence."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from tests.canaries.classes import IMAGES
from tests.canaries.classes_more import OBJECTS
from tests.canaries.oracle import Row, rows
from tests.canaries.person import make_person
from tests.canaries.planting import Canary, nested, words_of
from tests.canaries.words import Words
from tests.canaries.writing import COMPRESSED, compressed, written

ANATOMY, SHARED, CALIBRATION, DEVIATION = 0x00082218, 0x52009229, 0x00189346, 0x00189363
"""Sequences that the table does not list."""
LISTED = 0x00400275, 0x00081140, 0x0040A073, 0x00080082, 0x0040A730, 0x04000561
"""Sequences that it does: removed, reduced to references, filled with dummies, kept by an option."""
PRIVATE = 0x00091040
UNKNOWN, UNKNOWN_OPEN = 0x00189477, 0x00189506
"""Unlisted sequences that are written as UN, with a length and without."""
CAPTURED = frozenset((0x00181010, 0x00181012, 0x00181014, 0x00181016, 0x00181018, 0x00181019))
"""At the top these make an object a captured screen."""
TEXTS = frozenset(("LO", "SH", "ST", "LT", "UT", "UC"))
DOCUMENT = 0x00420011
CODED = {0x00100040: "O"}
"""What can have few values only: Patient's Sex."""
GROUPS = 0x6000, 0x6002, 0x601E, 0x5000, 0x501C
FIRST_GROUP = 8


class Filler:
    """Puts canaries into data sets.

    Parameters
    ----------
    words
        Where the values come from.
    text
        Gives the value of a free text; by default words of its own.
    leave
        Tells rows of which there is none at a place.
    keep
        Keep items of sequences that are there.
    """

    def __init__(
        self,
        words: Words,
        *,
        text: Callable[[str], str] | None = None,
        leave: Callable[[tuple[int, ...], Row], bool] = lambda where, row: False,
        keep: bool = False,
    ) -> None:
        self.words = words
        self.canaries: list[Canary] = []
        self._text = text
        self._leave = leave
        self._keep = keep

    def add(self, target: Dataset, where: tuple[int, ...], tag: int, vr: str, label: str = "") -> None:
        """Add an element with a value of its own."""
        value = self._text(vr) if self._text and vr in TEXTS else self.words.value(vr)
        value = CODED.get(tag, value)
        target.add_new(tag, vr, value)
        label = f"{nested(where)} {label or f'{tag:08x}'}"
        self.canaries.append(Canary(label, where, tag, vr, value))

    def table(self, target: Dataset, where: tuple[int, ...] = ()) -> Dataset:
        """Add every row, a private block, overlays and curves."""
        for row in rows().values():
            if row.tag >> 16 < FIRST_GROUP or self._leave(where, row):
                continue
            if not where and row.tag in CAPTURED:
                continue
            if row.vr == "SQ":
                target.add_new(row.tag, "SQ", Sequence([self.person((*where, row.tag))]))
            else:
                self.add(target, where, row.tag, row.vr, row.keyword)
        self.private(target, where)
        for group in GROUPS:
            self.add(target, where, group << 16 | 0x0022, "LO")
            self.add(target, where, group << 16 | 0x3000, "OB")
            self.add(target, where, group << 16 | 0x1500, "LO")
        return target

    def person(self, where: tuple[int, ...]) -> Dataset:
        """Make an item with some of what items of such sequences hold."""
        item = Dataset()
        for tag, vr in (
            *((0x00080080, "LO"), (0x00080104, "LO"), (0x00081155, "UI"), (0x00100010, "PN")),
            *((0x00100020, "LO"), (0x00100030, "DA"), (0x00401101, "SQ"), (0x0040A123, "PN")),
        ):
            if vr != "SQ":
                self.add(item, where, tag, vr)
        code = Dataset()
        self.add(code, (*where, 0x00401101), 0x00080104, "LO")
        item.add_new(0x00401101, "SQ", Sequence([code]))
        return item

    def private(self, target: Dataset, where: tuple[int, ...] = ()) -> None:
        """Add private blocks: of several creators in a group, with a sequence, with all kinds, of nobody."""
        target.add_new(0x00090010, "LO", "CANARY ONE")
        target.add_new(0x00090011, "LO", "CANARY TWO 1.0 ")
        for number, vr in enumerate(("LO", "PN", "DA", "UI", "UN", "OB", "UT", "DS", "AE", "TM")):
            self.add(target, where, 0x00091001 + number, vr)
            self.add(target, where, 0x00091101 + number, vr)
        self.add(target, where, 0x00191001, "LO", "private of nobody")
        item = Dataset()
        inner = (*where, PRIVATE)
        self.add(item, inner, 0x00100010, "PN")
        self.add(item, inner, 0x00080104, "LO")
        target.add_new(PRIVATE, "SQ", Sequence([item]))

    def everywhere(
        self, data: Dataset, kinds: Iterable[str] = ("listed", "unlisted", "private", "unknown")
    ) -> Dataset:
        """Add the whole table at the top, three deep, and in one sequence of each kind."""
        kinds = set(kinds)
        self.table(data)
        if "unlisted" in kinds:
            self._inside(data, (ANATOMY,))
            self._inside(data, (SHARED, CALIBRATION, DEVIATION))
        if "listed" in kinds:
            for tag in LISTED:
                self._inside(data, (tag,))
        if "private" in kinds:
            self._inside(data, (PRIVATE,))
        if "unknown" in kinds:
            for tag in (UNKNOWN, UNKNOWN_OPEN):
                item = self.table(Dataset(), (tag,))
                data[tag] = unknown(tag, items_as_unknown([item]))
                data[tag].is_undefined_length = tag == UNKNOWN_OPEN
        return data

    def _inside(self, data: Dataset, where: tuple[int, ...]) -> None:
        self.canaries = [canary for canary in self.canaries if canary.where[: len(where)] != where]
        item = self.table(Dataset(), where)
        for tag in reversed(where[1:]):
            holder = Dataset()
            holder.add_new(tag, "SQ", Sequence([item]))
            item = holder
        if self._keep and where[0] in data:
            # In front of what is there: the search looks into first items
            data[where[0]].value.insert(0, item)
        else:
            data.add_new(where[0], "SQ", Sequence([item]))


PARTS = {
    "unlisted": ("unlisted",),
    "listed": ("listed",),
    "private": ("private",),
    "unknown": ("unknown",),
}
"""Where the table is put beside the top: with it everywhere an object names more than one may."""


@functools.cache
def full_file(part: str, syntax: str = "explicit", *, documents: bool = True) -> tuple[bytes, list[Canary]]:
    """Give a file with the whole table in it, and what was planted.

    `documents`: with Encapsulated Document, which keeps an object in that would be cleaned of it.
    """
    data, canaries = full(1, part, **({} if documents else {"leave": lambda where, row: row.tag == DOCUMENT}))
    return written(data, syntax), canaries


def full(seed: int, part: str, **how: object) -> tuple[Dataset, list[Canary]]:
    """Give a CT with the whole table at the top and in one of `PARTS`, and what was planted."""
    words = Words(seed)
    # A document that can't be opened keeps the whole object in, when documents are cleaned.
    how.setdefault("leave", lambda where, row: row.tag == DOCUMENT and part == "unlisted")
    filler = Filler(words, **how)
    with pydicom.config.disable_value_validation():
        data = IMAGES["ct"](words, make_person(words))
        return filler.everywhere(data, PARTS[part]), filler.canaries


def about_class(kind: str, seed: int, syntax: str = "explicit") -> tuple[bytes, list[Canary]]:
    """Give an object of a class with what it is made of, and the table in all other places."""
    words = Words(seed)
    person = make_person(words)
    with pydicom.config.disable_value_validation():
        data = {**IMAGES, **OBJECTS}[kind](words, person)
        own = frozenset(data.keys())

        def leave(where: tuple[int, ...], row: Row) -> bool:
            # Where documents are cleaned, one that can't be opened keeps its object in.
            return row.tag == DOCUMENT or (not where and row.tag in own)

        filler = Filler(words, leave=leave, keep=True)
        filler.everywhere(data, ("unlisted",))
        if syntax in COMPRESSED:
            compressed(data, syntax)
    spoken = [Canary(f"person {name}", (), 0x00100010, "LO", word) for name, word in words_of(person).items()]
    born = Canary("person born", (), 0x00100030, "DA", f"{person.born:%Y%m%d}")
    return written(data, syntax), [*filler.canaries, *spoken, born]


def unknown(tag: int, value: bytes) -> DataElement:
    """Give an element of VR UN, which pydicom would otherwise make what the dictionary says."""
    element = DataElement(tag, "OB", value)
    element.VR = "UN"
    return element


def items_as_unknown(items: Iterable[Dataset]) -> bytes:
    """Give items as they stand in a value of unknown VR: implicit VR little endian (PS3.5, 6.2.2)."""
    content = bytearray()
    for item in items:
        stream = DicomBytesIO()
        stream.is_little_endian, stream.is_implicit_VR = True, True
        write_dataset(stream, item)
        encoded = stream.getvalue()
        content += b"\xfe\xff\x00\xe0" + len(encoded).to_bytes(4, "little") + encoded
    return bytes(content)
