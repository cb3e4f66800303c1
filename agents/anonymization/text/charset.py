"""Specific Character Set: values to text and back, strictly (DICOM PS3.5, 6.1; PS3.3, C.12.1.1.2). Pure.

pydicom decodes leniently, with replacement characters and warnings; what is cleaned has to be read exactly or
not at all. Its tables of sets and escape sequences are used here, its functions are not.
"""

from __future__ import annotations

import functools
import re

from pydicom.charset import CODES_TO_ENCODINGS, STAND_ALONE_ENCODINGS, default_encoding, python_encoding

_ESCAPE = 0x1B
_FRAGMENTS = re.compile(rb"[^\x1b]+|\x1b[^\x1b]*")
_RESETS = re.compile(rb"[\t\n\f\r\\^=]")
"""After one of these the first set holds again."""
_TEXT_RESETS = frozenset("\t\n\f\r\\^=")
_ROMAN = b"\x1b(J"
_DEFAULT = b"\x1b(B"
# Sets of two 7-bit bytes: Python's codecs know their escape sequences, and wrap what they encode into them.
_TWO_BYTES = {"iso2022_jp": b"\x1b$B", "iso2022_jp_2": b"\x1b$(D"}
_ESCAPE_OF = {encoding: code for code, encoding in CODES_TO_ENCODINGS.items() if encoding != "shift_jis"}
_ESCAPE_OF["shift_jis"] = b"\x1b)I"


class Charset:
    """One object's character set.

    Parameters
    ----------
    value
        The value of Specific Character Set; empty: the default repertoire. A set that DICOM doesn't have
        decodes nothing but ASCII.
    """

    def __init__(self, value: bytes = b"") -> None:
        names = [name.strip(b"\0 ").decode("latin-1") for name in value.split(b"\\")]
        if names[0] in STAND_ALONE_ENCODINGS:
            names = names[:1]
        found = [python_encoding.get(name) for name in names]
        self._known = None not in found
        self._encodings = [encoding for encoding in found if encoding]
        # Writers that declare nothing write UTF-8 or Latin-1 all the same.
        self._undeclared = found == [default_encoding]

    def decode(self, value: bytes) -> str | None:
        """Give the text of a value; None when it isn't text of this set."""
        if _ESCAPE not in value:
            if value.isascii() and self._single:
                return value.decode("ascii")
            return self._plain(value)
        if not self._known or self._undeclared:
            return None
        try:
            text = "".join(self._fragment(part) for part in _FRAGMENTS.findall(value))
        except (UnicodeError, LookupError):
            return None
        return None if "\x1b" in text else text

    def encode(self, text: str, like: bytes) -> bytes | None:
        """Give the bytes of a text, made from the value `like`; None when this set can't write it."""
        if not self._known:
            return text.encode("ascii") if text.isascii() else None
        try:
            if self._undeclared:
                encoded = text.encode(_undeclared(like))
            elif len(self._encodings) == 1 and self._encodings[0] not in _TWO_BYTES:
                encoded = text.encode(self._encodings[0])
            else:
                encoded = self._extended(text)
        except UnicodeError:
            return None
        return encoded if self.decode(encoded) == text else None

    @functools.cached_property
    def _single(self) -> bool:
        """Whether ASCII bytes are ASCII, as in all sets but the two-byte ones, without an escape."""
        return not self._encodings or self._encodings[0] != "shift_jis"

    def _plain(self, value: bytes) -> str | None:
        if not self._known:
            return None
        try:
            return value.decode(_undeclared(value) if self._undeclared else self._encodings[0])
        except UnicodeError:
            return None

    def _fragment(self, part: bytes) -> str:
        """Decode what stands between two escape sequences; raises UnicodeError or LookupError."""
        if part[0] != _ESCAPE:
            return part.decode(self._encodings[0])
        length = 4 if part[1:3] in (b"$(", b"$)") else 3
        code, rest = part[:length], part[length:]
        encoding = CODES_TO_ENCODINGS[code]
        if encoding not in self._encodings and code not in (_DEFAULT, _ROMAN):
            raise LookupError
        if encoding in _TWO_BYTES:
            return part.decode(encoding)
        if code == _DEFAULT:
            return self._after_default(rest)
        reset = _RESETS.search(rest)
        if reset is None:
            return rest.decode(encoding)
        return rest[: reset.start()].decode(encoding) + rest[reset.start() :].decode(self._encodings[0])

    def _after_default(self, rest: bytes) -> str:
        """ESC ( B says what the lower half is; the upper half is still that of the first set."""
        return rest.decode("ascii" if rest.isascii() else self._encodings[0])

    def _extended(self, text: str) -> bytes:
        """Encode with code extensions, character by character; raises UnicodeEncodeError."""
        first = self._encodings[0]
        ascii_code = _ROMAN if first == "shift_jis" else _DEFAULT
        out = bytearray()
        lower, upper = "", first
        for character in text:
            if character.isascii():
                if lower:
                    out += ascii_code
                    lower = ""
                if character in _TEXT_RESETS:
                    upper = first
                out += character.encode("ascii")
                continue
            encoding, encoded = self._of_character(character, lower or upper)
            if encoding in _TWO_BYTES:
                if lower != encoding:
                    out += _TWO_BYTES[encoding]
                lower = encoding
            else:
                if lower:
                    out += ascii_code
                    lower = ""
                if upper != encoding:
                    out += _ESCAPE_OF[encoding]
                upper = encoding
            out += encoded
        if lower:
            out += ascii_code
        return bytes(out)

    def _of_character(self, character: str, current: str) -> tuple[str, bytes]:
        for encoding in (current, *self._encodings):
            try:
                encoded = character.encode(encoding)
            except UnicodeEncodeError:
                continue
            code = _TWO_BYTES.get(encoding)
            if code is None and (encoding != "shift_jis" or len(encoded) == 1):
                return encoding, encoded
            if code is not None and encoded.startswith(code):
                return encoding, encoded[len(code) : len(code) + 2]
        raise UnicodeEncodeError(self._encodings[0], character, 0, 1, "in none of the sets")


def _undeclared(value: bytes) -> str:
    """Tell how a writer that declared no set wrote a value."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


@functools.lru_cache(maxsize=64)
def charset_of(value: bytes) -> Charset:
    """Give the set of a value of Specific Character Set, remembered."""
    return Charset(value)
