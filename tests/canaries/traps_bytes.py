"""Traps made of the file itself: what stands in front of, between and behind its elements."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.canaries.traps import Setting, Trap, setting, trap
from tests.canaries.writing import PREAMBLE, written

EXPLICIT = struct.Struct("<HH2sH")


def short(tag: int, vr: str, value: bytes) -> bytes:
    """Give an element in explicit VR little endian, with a length of 16 bits."""
    value += b" " * (len(value) % 2)
    return EXPLICIT.pack(tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def before(content: bytes, tag: int, what: bytes) -> bytes:
    """Put bytes in front of the first element with this tag, in explicit VR little endian."""
    at = content.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF), 132)
    return content[:at] + what + content[at:]


@trap("file: preamble")
def preamble() -> Trap:
    made = setting()
    return made.trap(written(made.data, preamble=PREAMBLE + made.person.name.encode()))


@trap("file: meta information")
def meta() -> Trap:
    made = setting()
    said = {
        name: made.words.word().upper() for name in ("source", "sending", "receiving", "version", "private")
    }
    said |= {name: made.words.uid() for name in ("class", "creator")}
    content = written(
        made.data,
        SourceApplicationEntityTitle=said["source"],
        SendingApplicationEntityTitle=said["sending"],
        ReceivingApplicationEntityTitle=said["receiving"],
        ImplementationVersionName=said["version"],
        ImplementationClassUID=said["class"],
        PrivateInformationCreatorUID=said["creator"],
        PrivateInformation=said["private"].encode(),
        SourcePresentationAddress=f"http://{said['source'].lower()}.example/",
    )
    return made.trap(content, **said)


@trap("file: an instance UID in the meta information that the data set does not have")
def meta_instance() -> Trap:
    made = setting()
    own = made.data.SOPInstanceUID
    other = own[:-4] + "9999"
    content = written(made.data)
    at = content.index(own.encode())
    trap = made.trap(content[:at] + other.encode() + content[at + len(own) :], uid=other)
    return trap._replace(keepers={"uid": "retain_uids"})


BEHIND: dict[str, Callable[[Setting], bytes]] = {
    "a name": lambda made: made.person.name.encode(),
    "zeros and a name": lambda made: bytes(4096) + made.person.name.encode(),
    "a name between zeros": lambda made: bytes(64) + made.person.name.encode() + bytes(64),
    "padding element": lambda made: b"\xfc\xff\xfc\xffOB\0\0\x20\0\0\0" + made.person.name.encode().ljust(32),
    "private pixels": lambda made: (
        short(0x7FE10010, "LO", b"XOWNER") + short(0x7FE11010, "LO", made.person.family.encode())
    ),
    "signatures": lambda made: (
        b"\xfa\xff\xfa\xffSQ\0\0\0\0\0\0" + short(0xFFFCFFFC, "LO", made.person.family.encode())
    ),
    "another object": lambda made: written(made.data),
    "another data set": lambda made: written(made.data)[400:],
}


def _behind(name: str) -> None:
    def make() -> Trap:
        made = setting()
        return made.trap(written(made.data) + BEHIND[name](made))

    trap(f"behind: {name}")(make)


for _name in BEHIND:
    _behind(_name)


@trap("behind: a deflated data set")
def behind_deflated() -> Trap:
    made = setting()
    word = made.words.word()
    return made.trap(written(made.data, "deflated") + f"of {word} 1 ".encode(), word=word)


@trap("file: a group length that is a text")
def group_length() -> Trap:
    made = setting()
    word = made.words.word()
    return made.trap(
        before(written(made.data), 0x00080005, short(0x00080000, "LO", word.encode())), word=word
    )


@trap("file: elements of groups that have no place in an object")
def service_groups() -> Trap:
    made = setting()
    said = {name: made.words.word() for name in ("command", "meta", "directory")}
    extra = (
        short(0x00000600, "AE", said["command"].encode())
        + short(0x00020016, "AE", said["meta"].encode())
        + short(0x00041500, "CS", said["directory"].encode())
    )
    return made.trap(before(written(made.data), 0x00080005, extra), **said)


@trap("file: standard groups, attributes that the dictionary does not know")
def unknown_attributes() -> Trap:
    made = setting()
    said = {vr: made.words.word() for vr in ("LO", "UT", "OB", "UN", "CS", "SQ")}
    for number, (vr, word) in enumerate(said.items()):
        if vr != "SQ":
            value: str | bytes = word.encode() if vr in ("OB", "UN") else word.upper()
            made.data.add_new(0x00186F00 + number, vr, value)
    item = Dataset()
    item.CodeMeaning = said["SQ"]
    made.data.add_new(0x00186F40, "SQ", Sequence([item]))
    return made.trap(**said)


@trap("private: creators that speak, elements of nobody, blocks of others")
def private() -> Trap:
    made = setting()
    said = {name: made.words.word() for name in ("creator", "nobody", "value", "safe block", "gap", "safe")}
    made.data.add_new(0x00090010, "LO", said["creator"])
    made.data.add_new(0x00091001, "UN", said["value"].encode())
    made.data.add_new(0x00191133, "LO", said["nobody"])
    made.data.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    made.data.add_new(0x00191099, "LO", said["safe block"])
    made.data.add_new(0x00190009, "LO", said["gap"])
    made.data.add_new(0x0019100C, "LO", said["safe"])
    return made.trap(**said)
