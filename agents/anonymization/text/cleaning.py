"""Text without what identifies, readable where it can be, bytes to bytes. Pure.

Two ways to find it: what the object and its study are known to call people and places, in any usual
spelling (`known`), and what identifies by its form, whoever it belongs to (`patterns`, `dates`). A name that
is neither, say that of a relative in the middle of a sentence, stays: no rule finds it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from agents.anonymization.text.charset import charset_of
from agents.anonymization.text.dates import Written, dates_in, shifted
from agents.anonymization.text.encoded import escapes_read, readings
from agents.anonymization.text.finding import Span
from agents.anonymization.text.folding import plain, visible
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.patterns import patterned

LIMIT = 1 << 17
"""Characters of a text that is cleaned; a longer one goes."""
REMOVED = "[removed]"

_SEVERAL = frozenset(("CS", "LO", "SH", "UC"))
"""Value representations in which a backslash parts values."""
_LENGTHS = {"CS": 16, "SH": 16, "LO": 64, "ST": 1024, "LT": 10240}
"""Characters of a value (DICOM PS3.5, 6.2)."""
_MARKED = frozenset(("SH", "LO", "ST", "LT", "UC", "UT"))
"""Where the mark may stand; elsewhere its brackets are not allowed."""
_TEXTS = _SEVERAL | frozenset(("ST", "LT", "UT", "UR"))
_SENSE = re.compile(r"[^\W_](?:[\W_]*[^\W_])")
"""Two letters or digits are the least that says anything."""
_PATH = re.compile(r"(?<![^\W_])[A-Za-z]:\\(?=[^\\])|(?:^|\s)\\\\\w")
_LEFT = re.compile(r"[\s,;:^_/|+&-]*")
_AROUND = re.compile(r"^[\s,;:^_/|+&]+|[\s,;:^_/|+&-]+$")
_SPACES = re.compile(r"[ \t]{2,}")
_STAYS = "\x01"
_REMEMBERED = 1024
_SHORT_VALUE = 1024


class Cleaner:
    """Cleans the texts of one object.

    Parameters
    ----------
    known
        What the object and its study call people and places.
    charset
        The value of Specific Character Set, in which texts are read and written.
    shift_days
        Days by which dates in text are moved back; 0 keeps them; None takes them out. A date that can't be
        moved without a doubt goes, and so do days of birth.
    """

    def __init__(self, known: KnownValues, charset: bytes = b"", *, shift_days: int | None = None) -> None:
        self._known = known
        self._charset = charset_of(charset)
        self._shift = shift_days
        self._answers: dict[tuple[bytes, str], bytes | None] = {}

    def clean(self, value: bytes, vr: str) -> bytes | None:
        """Give a value without what identifies; the value itself when there is nothing of the kind.

        None: nothing sensible is left, the value can't be read or written in its character set, or it is of
        no VR that holds text. Of several values those that go are empty, so that the others keep their
        places.
        """
        key = value, vr
        if key in self._answers:
            return self._answers[key]
        answer = self._cleaned(value, vr)
        if len(value) <= _SHORT_VALUE:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def text(self, text: str, *, longest: int = LIMIT, mark: bool = True) -> str | None:
        """Give a text without what identifies; the same when there is nothing; None when little is left."""
        if len(text) > LIMIT:
            return None
        shown = visible(text)
        found = self._found(shown)
        if self._hides(_cut(shown, found, " ") if found else shown):
            return None
        if not found:
            return text
        left = _tidy(_cut(shown, found, REMOVED)) if mark else ""
        if not mark or len(left) > longest:
            left = _tidy(_cut(shown, found, ""))
        # what was apart may now be together
        again = any(instead is None for _, instead in self._found(left))
        return left if _SENSE.search(left.replace(REMOVED, " ")) and not again else None

    def removals(self, shown: str) -> list[Span] | None:
        """Give what goes from a text that is visible (`text.folding`), in order and apart.

        None: it can't be told where, or the text is too long to be looked at. Dates that would be moved go.
        """
        if len(shown) > LIMIT:
            return None
        found = self._found(shown)
        cut = _cut(shown, found, " ") if found else shown
        if self._hides(cut) or (found and self._found(cut)):
            return None
        return [span for span, _ in found]

    def known_in(self, text: str) -> Iterator[Span]:
        """Yield where anything known stands in a text."""
        return self._known.spans(plain(visible(text)))

    def _cleaned(self, value: bytes, vr: str) -> bytes | None:
        decoded = self._charset.decode(value.rstrip(b"\0 "))
        if vr not in _TEXTS or decoded is None or (vr in _SEVERAL and _PATH.search(decoded)):
            return None
        texts = decoded.split("\\") if vr in _SEVERAL else [decoded]
        longest, mark = _LENGTHS.get(vr, LIMIT), vr in _MARKED
        cleaned = [self.text(text, longest=longest, mark=mark) if text.strip() else text for text in texts]
        if cleaned == texts:
            return value
        if vr == "UR" or not any(cleaned):
            return None
        return self._charset.encode("\\".join(text or "" for text in cleaned), like=value)

    def _found(self, shown: str) -> list[tuple[Span, str | None]]:
        """Give what goes, in order and apart, each with what is put in its place; None: nothing is."""
        simple = plain(shown)
        spans: list[tuple[Span, str | None]] = [(span, None) for span in self._known.spans(simple)]
        for written in dates_in(simple):
            known = not self._known.dates.isdisjoint(written.days)
            if not known and not written.certain:
                continue
            instead = self._moved(written, shown)
            if instead is not None:
                # a date that stays is no long number
                simple = simple[: written.start] + _STAYS * len(instead) + simple[written.end :]
            if instead is None or instead != shown[written.start : written.end]:
                spans.append(((written.start, written.end), instead))
        spans += [(span, None) for span in patterned(simple)]
        return _apart(spans)

    def _moved(self, written: Written, text: str) -> str | None:
        """Give what is put in the place of a date; None: nothing."""
        if self._shift is None or not self._known.births.isdisjoint(written.days):
            return None
        return shifted(written, self._shift) if self._shift else text[written.start : written.end]

    def _hides(self, shown: str) -> bool:
        """Tell whether more is found once it is decoded."""
        read = [text for text in escapes_read(shown) if text != shown]
        if self._known.disguised(shown):
            return True
        return any(instead is None for text in read for _, instead in self._found(visible(text))) or any(
            True for text in readings(shown) for _ in self.known_in(text)
        )


@functools.lru_cache(maxsize=64)
def cleaner_of(known: KnownValues, charset: bytes, shift_days: int | None = None) -> Cleaner:
    """Give a cleaner, remembered with what it has cleaned: objects of a series repeat their texts."""
    return Cleaner(known, charset, shift_days=shift_days)


def _apart(spans: list[tuple[Span, str | None]]) -> list[tuple[Span, str | None]]:
    """Join spans that touch; what is joined has nothing put in its place."""
    joined: list[tuple[Span, str | None]] = []
    for (start, end), instead in sorted(spans, key=lambda one: (one[0], one[1] or "")):
        if joined and start < joined[-1][0][1]:
            (begin, before), put = joined[-1]
            same = (begin, before) == (start, end) and put == instead
            joined[-1] = ((begin, max(before, end)), put if same else None)
        else:
            joined.append(((start, end), instead))
    return joined


def _cut(text: str, spans: list[tuple[Span, str | None]], mark: str) -> str:
    """Put what is due in the place of each span; marks with nothing but separators between are one."""
    parts: list[str] = []
    at, marked = 0, False
    for (start, end), instead in spans:
        between = text[at:start]
        if instead is not None:
            parts += (between, instead)
            marked = False
        elif not (marked and _LEFT.fullmatch(between)):
            parts += (between, mark)
            marked = True
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _tidy(text: str) -> str:
    return _AROUND.sub("", _SPACES.sub(" ", text))
