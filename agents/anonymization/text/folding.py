"""Text as pieces that compare: without case, marks and the usual ways to write around them. Pure.

A piece is a run of letters, a run of digits, or a run of a script that is written without spaces. Spellings
of a name have one key, squeezed: "Müller", "MUELLER" and "muller", or "ﾔﾏﾀﾞ", "ヤマダ" and "やまだ".
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Characters that are seen by nobody: soft hyphen, zero width, direction marks, tags, tatweel.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u0640\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_APART = (
    r"\x00-/:-@\[-`{-\x7f\x80-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u02c2-\u02df\u037e\u0387\u05be\u05c0\u05c3"
    r"\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u2e00-\u2e5d"
    r"\u3000-\u3004\u3008-\u3020\u3030\u30fb\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40"
    r"\uff5b-\uff65\ufffc\ufffd"
)
"""What stands between words: punctuation, symbols, spaces and controls."""
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ede\u1000-\u109f\u1100-\u11ff\u1780-\u17d3\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u302f\u3031-\u30fa\u30fc-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff"
)
"""Scripts whose words are not told apart by spaces, or take endings without one: Thai, Han, kana, Hangul."""

_PIECES = re.compile(rf"(\d+)|([{UNSPACED}]+)|[^\d{_APART}{UNSPACED}]+")
_PLAIN_PIECES = re.compile(r"([0-9]+)|[A-Za-z]+")
_FOREIGN_DIGITS = re.compile(r"[^\D0-9]")
_MARKS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans(
    {
        **dict(zip("øłđðħŧıĸŋ", "olddhtikn", strict=True)),
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\u0629": "\u0647",  # teh marbuta, written as heh
        "\u0649": "\u064a",  # alef maksura, written as yeh
        **{chr(kana): chr(kana - 0x60) for kana in range(0x30A1, 0x30F7)},
    }
)
_UMLAUTS = re.compile("(?<=[aou])e+")
_SQUEEZED = 4
"""Letters from which on "oe" is another way to write "ö"; Noe is a name in itself."""


class Piece(NamedTuple):
    """A piece of a text: where it stands, what it compares as, and of what it consists."""

    start: int
    end: int
    key: str
    digits: bool = False
    unspaced: bool = False


def visible(text: str) -> str:
    """Give the text without characters that nobody sees, and with marks joined to their letters."""
    return text if text.isascii() else unicodedata.normalize("NFC", _UNSEEN.sub("", text))


def plain(text: str) -> str:
    """Give a text of the same length in which full-width and other compatible characters are plain ones."""
    if text.isascii():
        return text
    return "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


def fold(text: str) -> str:
    """Give the key of a run of letters."""
    if text.isascii():
        return text.lower()
    # NFKD before the marks go, NFC after: Hangul comes apart into parts that are no marks
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(part for part in apart if not unicodedata.combining(part))
    return unicodedata.normalize("NFC", bare.translate(_LETTERS)).casefold()


def squeeze(key: str) -> str:
    """Give a key in which umlauts that are written as two letters are one."""
    return _UMLAUTS.sub("", key) if len(key) >= _SQUEEZED and "e" in key else key


def letters(text: str) -> str | None:
    """Give a text in lower case of which every piece of ASCII is one of `pieces`; None: a closer look is due.

    Quick, and for a first look only: what isn't ASCII becomes a question mark.
    """
    if text.isascii():
        return text.lower()
    if _FOREIGN_DIGITS.search(text):
        return None
    apart = unicodedata.normalize("NFKD", _UNSEEN.sub("", text).casefold())
    return _MARKS.sub("", apart.translate(_LETTERS)).encode("ascii", "replace").decode("ascii").lower()


def pieces(text: str) -> list[Piece]:
    """Give the pieces of a text as they stand."""
    if text.isascii():
        return [
            Piece(match.start(), match.end(), fold(match[0]), match.lastindex == 1)
            for match in _PLAIN_PIECES.finditer(text)
        ]
    return [
        Piece(
            match.start(),
            match.end(),
            _decimal(match[0]) if match.lastindex == 1 else fold(match[0]),
            match.lastindex == 1,
            match.lastindex == 2,  # noqa: PLR2004 - the second group
        )
        for match in _PIECES.finditer(text)
    ]


def _decimal(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)
