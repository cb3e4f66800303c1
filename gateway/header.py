"""What the door needs to know of a file: who it belongs to and the digest of its bytes. Decodes no pixel."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import mmap
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from pydicom.charset import convert_encodings, decode_bytes, python_encoding

from gateway.elements import UNDEFINED, Element, Walker
from gateway.modalities import modality_of
from gateway.part10 import Bounds, Buffer, Malformed, encoding_of, inflate_chunks, read_meta
from gateway.placement import LAST, PLACING, placement_of
from schemas.pacs import Placement

_BOUNDS = Bounds()
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")
_CHARSET, _SOP_CLASS, _SOP_INSTANCE, _MODALITY_TAG = 0x00080005, 0x00080016, 0x00080018, 0x00080060
_PATIENT_ID, _ISSUER, _STUDY, _SERIES, _NUMBER = 0x00100020, 0x00100021, 0x0020000D, 0x0020000E, 0x00200013
_WANTED = frozenset(
    (_CHARSET, _SOP_CLASS, _SOP_INSTANCE, _MODALITY_TAG, _PATIENT_ID, _ISSUER, _STUDY, _SERIES, _NUMBER)
)
SHARED = _WANTED - {_SOP_INSTANCE, _NUMBER}
"""What an object's identity follows from, but for what tells it from others of its series."""
_MANDATORY = frozenset((_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES))
_ASCII_SETS = frozenset((b"", b"ISO_IR 6", b"ISO_IR 100", b"ISO_IR 192"))
"""Sets of which ASCII is a part, by which most objects are decoded; no escape sequence leads out of them."""
_VALUE_BYTES = 1024
_MOST_BEHIND = 256
"""Elements looked at behind those that identify."""
_HEADER_BYTES = 4 * 1024 * 1024
_LOOK_BYTES = 32 * 1024 * 1024
_CHUNK = 1 << 20


class HeaderIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What the header says of an object. Identities: for the inner zone only, never for a log."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    patient_id: str
    """Empty when the object has none."""
    issuer_of_patient_id: str
    modality: str
    """OT when the object has none that the standard knows."""
    instance_number: int | None
    transfer_syntax_uid: str

    def __repr__(self) -> str:
        """Keep identities out of logs and tracebacks."""
        return f"HeaderIdentity(sop_class_uid={self.sop_class_uid!r}, ...)"


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the door asks of a header."""

    identity: HeaderIdentity
    placement: Placement | None


def read_header(path: Path) -> Header:
    """Read identity and placement of a DICOM Part 10 file; else as `read_header_identity`."""
    with _mapped(path) as data:
        return header_of(data)


def header_of(data: Buffer) -> Header:
    """Read identity and placement of a DICOM Part 10 file in memory; else as `read_header_identity`."""
    body, start, syntax = _dataset(data)
    walker = Walker(body, start, encoding_of(syntax), _BOUNDS, ordered=False)
    found = _find(iter(walker), body, placing=True)
    return Header(identity=identity_from(found, syntax), placement=placement_of(found))


def read_header_identity(path: Path) -> HeaderIdentity:
    """Read the identity of a DICOM Part 10 file. Bounded in time and memory, whatever the file.

    Raises
    ------
    gateway.part10.Malformed
        When it is no such file, or a UID is missing or not valid. Says what is wrong, without its values.
    OSError
        When the file can't be read.
    """
    with _mapped(path) as data:
        return identity_of(data)


def identity_of(data: Buffer) -> HeaderIdentity:
    """Read the identity of a DICOM Part 10 file in memory; else as `read_header_identity`."""
    body, start, syntax = _dataset(data)
    walker = Walker(body, start, encoding_of(syntax), _BOUNDS, ordered=False)
    return identity_from(_find(iter(walker), body), syntax)


def identity_from(found: Mapping[int, bytes], transfer_syntax_uid: str) -> HeaderIdentity:
    """Give the identity that top-level values tell, by tag; else as `read_header_identity`."""
    if any(len(found.get(tag, b"")) > _VALUE_BYTES for tag in _WANTED):
        raise _too_long()
    return HeaderIdentity(
        sop_class_uid=_valid_uid(_text(found, _SOP_CLASS), "SOP Class UID"),
        sop_instance_uid=_instance_uid(found),
        study_instance_uid=_valid_uid(_text(found, _STUDY), "Study Instance UID"),
        series_instance_uid=_valid_uid(_text(found, _SERIES), "Series Instance UID"),
        patient_id=_decoded(found, _PATIENT_ID),
        issuer_of_patient_id=_decoded(found, _ISSUER),
        modality=modality_of(_text(found, _MODALITY_TAG)),
        instance_number=_instance_number(found),
        transfer_syntax_uid=transfer_syntax_uid,
    )


def instance_from(found: Mapping[int, bytes]) -> tuple[str, int | None]:
    """Give what tells an object from others of its series, SOP Instance UID and Instance Number.

    From top-level values by tag, of which no others are asked; else as `identity_from`.
    """
    if max(len(found.get(_SOP_INSTANCE, b"")), len(found.get(_NUMBER, b""))) > _VALUE_BYTES:
        raise _too_long()
    return _instance_uid(found), _instance_number(found)


def dataset_digest(path: Path) -> str:
    """Give the sha256 of (transfer syntax UID, data set without file meta), hex. Reads by chunks of 1 MiB.

    The same image has this digest whatever preamble, file meta and way in it had. The syntax is followed by
    a line feed, then come the data set's bytes as they lie in the file, deflated ones as they are.

    Raises
    ------
    gateway.part10.Malformed
        When it is no DICOM Part 10 file.
    OSError
        When the file can't be read.
    """
    with _mapped(path) as data:
        meta = read_meta(data)
        digest = hashlib.sha256(meta.text(0x00020010).encode() + b"\n")
        for position in range(meta.dataset, len(data), _CHUNK):
            digest.update(data[position : position + _CHUNK])
        return digest.hexdigest()


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[Buffer]:
    with path.open("rb") as stream:
        if path.stat().st_size == 0:
            # mmap refuses an empty file
            yield b""
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _inflated_head(data: Buffer, start: int) -> bytes:
    """Inflate the first 4 MiB: the header comes first, pixels last. A bomb is looked for a little further.

    Memory is what bounds both: a file that is mapped counts as far as it was read.
    """
    head: list[bytes] = []
    looked = 0
    for chunk in inflate_chunks(data, start, _BOUNDS):
        if looked < _HEADER_BYTES:
            head.append(chunk)
        looked += len(chunk)
        if looked >= _LOOK_BYTES:
            break
    return b"".join(head)


def _find(elements: Iterator[Element], data: Buffer, *, placing: bool = False) -> dict[int, bytes]:
    """Find top-level values: what identifies, and with `placing` what tells an object's place, too.

    What identifies has to be there, once and not too long. The rest refuses nothing: where the structure
    breaks behind what identifies, it is taken as far as it went.
    """
    found: dict[int, bytes] = {}
    for element in elements:
        if element.depth:
            continue
        if element.tag > _NUMBER and found.keys() >= _MANDATORY:
            if placing:
                with contextlib.suppress(Malformed):
                    _place(itertools.chain((element,), elements), data, found)
            break
        if element.tag in _WANTED:
            if element.tag in found:
                raise Malformed("bad-order", "An identifying element is there twice.")
            if element.length == UNDEFINED or element.length > _VALUE_BYTES:
                raise _too_long()
            found[element.tag] = bytes(data[element.offset : element.offset + element.length])
        elif element.tag in PLACING:
            _place((element,), data, found)
    return found


def _instance_uid(found: Mapping[int, bytes]) -> str:
    return _valid_uid(_text(found, _SOP_INSTANCE), "SOP Instance UID")


def _instance_number(found: Mapping[int, bytes]) -> int | None:
    number = _text(found, _NUMBER).strip()
    return int(number) if _INTEGER.fullmatch(number) else None


def _too_long() -> Malformed:
    return Malformed("bad-value", "An identifying element is longer than DICOM allows.")


def _place(elements: Iterable[Element], data: Buffer, found: dict[int, bytes]) -> None:
    """Add what tells an object's place, until it can't come any more or for a bounded number of elements."""
    for element in itertools.islice(elements, _MOST_BEHIND):
        if element.depth:
            continue
        if element.tag > LAST:
            break
        if element.tag in PLACING and element.length <= _VALUE_BYTES:
            found.setdefault(element.tag, bytes(data[element.offset : element.offset + element.length]))


def _dataset(data: Buffer) -> tuple[Buffer, int, str]:
    """Give the data set's bytes, inflated if need be, where it begins in them, and its transfer syntax."""
    meta = read_meta(data)
    syntax = _valid_uid(meta.text(0x00020010), "Transfer Syntax UID")
    if encoding_of(syntax).deflated:
        return _inflated_head(data, meta.dataset), 0, syntax
    return data, meta.dataset, syntax


def _text(found: Mapping[int, bytes], tag: int) -> str:
    return found.get(tag, b"").decode("ascii", "replace").rstrip("\0 ")


def _decoded(found: Mapping[int, bytes], tag: int) -> str:
    """Decode a text with the object's character set; bytes that don't fit keep a form of their own."""
    raw = found.get(tag, b"")
    if raw.isascii() and b"\x1b" not in raw and found.get(_CHARSET, b"").rstrip(b"\0 ") in _ASCII_SETS:
        return raw.decode("ascii").strip("\0 ")
    sets = [part.strip() for part in _text(found, _CHARSET).split("\\")]
    if not all(part in python_encoding for part in sets):
        # pydicom would repeat the unknown value in a warning
        return raw.decode("latin-1").strip("\0 ")
    try:
        text = decode_bytes(raw, convert_encodings(sets), set())
    except (LookupError, UnicodeError, ValueError):
        text = raw.decode("latin-1")
    return str(text).strip("\0 ")


def _valid_uid(uid: str, name: str) -> str:
    """Check a UID leniently: digits and dots, at most 64; leading zeros do occur."""
    if len(uid) > 64 or not _UID.fullmatch(uid):  # noqa: PLR2004 - the length of a UID (PS3.5, 9.1)
        raise Malformed("bad-uid", f"{name} is missing or not valid: send the object as its device made it.")
    return uid
