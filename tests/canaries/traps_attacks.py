"""Traps set by somebody who knows how such engines work: names where and how only an attacker writes them."""

from __future__ import annotations

import base64
import struct
import urllib.parse
from collections.abc import Callable

import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from tests.canaries.table_objects import unknown
from tests.canaries.traps import Setting, Trap, say, setting, trap
from tests.canaries.traps_bytes import before, short
from tests.canaries.traps_fragments import _encapsulate, _image
from tests.canaries.writing import written

WRITTEN: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of an address": lambda text: "https://x/?q=" + base64.urlsafe_b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent, in part": lambda text: text[:3] + "".join(f"%{byte:02x}" for byte in text[3:].encode()),
    "percent, twice": lambda text: urllib.parse.quote("".join(f"%{byte:02X}" for byte in text.encode())),
    "entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "entities, hexadecimal": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    "quoted-printable": lambda text: "".join(f"={byte:02X}" for byte in text.encode()),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "escapes of JSON": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "zeros between": "\0".join,
    "spaces that nobody sees": "\x1f".join,
    "lines": "\r\n".join,
    "query": lambda text: f"http://pacs.example/v?study=1&pn={text}&x=2",
    "markup": "<b>".join,
}


def _as(name: str) -> None:
    def in_code() -> Trap:
        made = setting()
        with pydicom.config.disable_value_validation():
            say(made.data, WRITTEN[name](made.person.family))
            return made.trap()

    def in_comment() -> Trap:
        made = setting()
        with pydicom.config.disable_value_validation():
            made.data.ImageComments = f"seen {WRITTEN[name](made.person.family)} before"
            return made.trap()

    trap(f"attack: {name}, in a code")(in_code)
    trap(f"attack: {name}, in a comment")(in_comment)


for _name in WRITTEN:
    _as(_name)


def _text(name: str, make: Callable[[Setting], str | bytes], **changes: str) -> None:
    """Set a trap of a value of a text attribute that is kept."""

    def made() -> Trap:
        one = setting(**changes)
        value = make(one)
        with pydicom.config.disable_value_validation():
            say(one.data, "Maker")
            for tag in (0x00281055, 0x00080070):
                one.data[tag] = unknown(tag, value if isinstance(value, bytes) else value.encode())
                one.data[tag].VR = "LO"
                one.data[tag]._value = value if isinstance(value, str) else value.decode("latin-1")
            return one.trap()

    trap(f"attack: {name}")(made)


_text("behind a zero", lambda made: f"MAKER\0\0{made.person.family}")
_text("behind many spaces", lambda made: f"MAKER{' ' * 400}{made.person.family}")
_text("behind an escape", lambda made: f"MAKER\x1b$B{made.person.family}")
_text("an escape in it", lambda made: f"MAKER {made.person.family[:4]}\x1b(B{made.person.family[4:]}")
_text("of another character set", lambda made: "für Xörbügälß".encode(), family="Xörbügälß")
_text("utf-16 in a text", lambda made: made.person.family.encode("utf-16-le"))
_text("a long text", lambda made: "x" * 100_000 + f" {made.person.family}")
_text("digits as words", lambda made: f"patient_id={made.person.patient_id}_v2")
_text("inside of a long word", lambda made: f"PROT{made.person.patient_id}SCAN{made.person.accession}END")
_text("no vowels but the name", lambda made: f"{made.person.family}{made.person.family}")
_text("a day in letters", lambda made: f"D{made.person.born:%Y%m%d}T")
_text("a day in a number", lambda made: f"1.{made.person.born:%Y%m%d}.7")
_text("a day of two digits", lambda made: f"{made.person.born:%y%m%d}")
_text("a phone number", lambda made: f"call{made.person.phone.replace(' ', '')}now")


def _element(
    name: str, tag: int, vr: str, make: Callable[[Setting], object], *, nested: bool = False
) -> None:
    def made() -> Trap:
        one = setting()
        value = make(one)
        with pydicom.config.disable_value_validation():
            target = Dataset() if nested else one.data
            if vr in ("DS", "IS", "AS"):
                # as text that pydicom does not read
                target[tag] = unknown(tag, b"")
                target[tag].VR, target[tag]._value = vr, value
            else:
                target.add_new(tag, vr, value)
            if nested:
                one.data.SharedFunctionalGroupsSequence = Sequence([target])
            said = {"digits": one.person.patient_id[2:]} if vr in ("DS", "IS", "UI") else {}
            return one.trap(**said)._replace(keepers={"digits": "retain_uids"} if vr == "UI" else {})

    trap(f"attack: {name}")(made)


_element("a group of ff", 0xFFFF0010, "LO", lambda made: made.person.family)
_element("an even group of ff", 0xFF001010, "LO", lambda made: made.person.family)
_element("overlay label far up", 0x60FE1500, "LO", lambda made: made.person.family)
_element("overlay of an odd group", 0x60011500, "LO", lambda made: made.person.family)
_element("curve description", 0x50FE0022, "LO", lambda made: made.person.family)
_element("curve label in an item", 0x50000040, "SH", lambda made: made.person.family, nested=True)
_element("explanation of a table", 0x00283003, "LO", lambda made: made.person.family, nested=True)
_element("padding in an item", 0xFFFCFFFC, "OB", lambda made: made.person.name.encode(), nested=True)
_element(
    "profile of 100 kB", 0x00282000, "OB", lambda made: bytes(100_000) + made.person.name.encode() + b"\0"
)
_element("profile in utf-16", 0x00282000, "OB", lambda made: made.person.name.encode("utf-16-be"))
_element("a text backwards", 0x00283003, "LO", lambda made: made.person.family[::-1], nested=True)
_element("profile backwards", 0x00282000, "OB", lambda made: made.person.name.encode()[::-1])
_element(
    "profile with words swapped from the second byte",
    0x00282000,
    "OB",
    lambda made: b"\0" + struct.pack("<32H", *_words(made.person.name, ">H")) + b"\0",
)
_element("numbers with words swapped", 0x00540010, "US", lambda made: _words(made.person.name, ">H"))
_element(
    "a UID that looks registered",
    0x00200052,
    "UI",
    lambda made: f"1.2.840.10008.{made.person.patient_id[2:]}",
)
_element(
    "a UID of the root alone", 0x00200052, "UI", lambda made: f"1.2.840.10008{made.person.patient_id[2:]}.1"
)
_element("a text for a number", 0x00180060, "DS", lambda made: made.person.family[:16])
_element("a name among numbers", 0x00200032, "DS", lambda made: f"0\\0\\{made.person.family}")
_element("an id as a count", 0x00280008, "IS", lambda made: made.person.patient_id[2:])
_element("an application entity", 0x00080054, "AE", lambda made: made.person.family.upper()[:16])
_element("a code of context", 0x0008010F, "CS", lambda made: made.person.family.upper()[:16])
_element("a long code", 0x00080119, "UC", lambda made: made.person.family, nested=True)
_element(
    "a code that is an address", 0x00080120, "UR", lambda made: f"urn:x:{made.person.family}", nested=True
)
_element("a pointer", 0x00280009, "AT", lambda made: _words(made.person.name, "<L"))
_element("a name in an age", 0x00101010, "AS", lambda made: made.person.family[:4])
_element("a colour", 0x00080008, "CS", lambda made: ["ORIGINAL", "PRIMARY", made.person.family.upper()])


def _words(text: str, form: str) -> list[int]:
    size = struct.calcsize(form)
    padded = text.encode().ljust(64)
    return [number[0] for number in struct.iter_unpack(form, padded[: len(padded) // size * size])]


@trap("attack: a file of JPEG 2000 with boxes")
def boxes() -> Trap:
    made = setting()
    image = _image(made, "jpeg-2000")
    said = made.words.word().encode()
    xml = struct.pack(">L", 8 + len(said)) + b"xml " + said
    head = struct.pack(">L", 12) + b"jP  \r\n\x87\n" + struct.pack(">L", 20) + b"ftypjp2 \0\0\0\0jp2 "
    whole = head + xml + struct.pack(">L", 8 + len(image)) + b"jp2c" + image
    _encapsulate(made, encapsulate([whole + b"\0" * (len(whole) % 2)]))
    return made.trap(written(made.data, "jpeg-2000"), said=said.decode())


@trap("attack: a private block inside of a file's group")
def in_group() -> Trap:
    made = setting()
    extra = short(0x00080001, "LO", made.person.family.encode())
    return made.trap(before(written(made.data), 0x00080005, extra))


@trap("attack: names in three scripts, each in a text")
def scripts() -> Trap:
    made = setting()
    made.data.SpecificCharacterSet = "ISO_IR 192"
    alphabetic, ideographic, phonetic = made.words.word(), "山川田中", "やまかわ"
    made.data.PatientName = f"{alphabetic}^X={ideographic}^太郎={phonetic}^たろう"
    say(made.data, f"{phonetic} / {ideographic} / ヤマカワ / {alphabetic}")
    return made.trap(a=alphabetic, b=ideographic, c=phonetic)


@trap("attack: a middle name, a prefix and another name")
def components() -> Trap:
    made = setting()
    said = {name: made.words.word() for name in ("middle", "suffix", "other")}
    made.data.PatientName = f"{made.person.name}^{said['middle']}^^{said['suffix']}"
    made.data.OtherPatientNames = ["X", f"Y^{said['other']}"]
    say(made.data, [*said.values()])
    return made.trap(**said)


@trap("attack: letters that look alike")
def alike() -> Trap:
    made = setting(family="Xopamec")
    made.data.SpecificCharacterSet = "ISO_IR 192"
    look = made.person.family.translate(str.maketrans("opamec", "орамес"))
    say(made.data, f"of {look} 1")
    return made.trap(look=look)
