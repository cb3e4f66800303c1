"""What an object and its study call people, places, ids and days, to find it again in what is kept. Pure.

The table trusts attributes such as Manufacturer, Code Meaning or Body Part Examined. Where one of them
repeats a name, an id or an accession number of the same object, it is not trusted; and what is cleaned loses
them.

Compiled once for what a series has in common and remembered, so that an object costs little and a value less.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date

from agents.anonymization.outcome import Refusal
from agents.anonymization.text.charset import charset_of
from agents.anonymization.text.encoded import readings, repaired
from agents.anonymization.text.finding import Finder, Span
from agents.anonymization.text.naming import CHARACTER_SET, Kind, Naming, kind_of
from agents.anonymization.text.spelling import Keys

_MOST = 8192
"""Different values that name somebody in one object: more take seconds."""
_DAY = re.compile(rb"([0-9]{8}|[0-9]{4}\.[0-9]{2}\.[0-9]{2}).*", re.DOTALL)
_REMEMBERED = 4096
"""Values whose answer is remembered."""
_SHORT_VALUE = 256
"""Bytes of such a value, at most."""


_CODE_PAGES = "cp850", "cp1251", "cp1252", "mac_roman", "koi8_r"
_TWO_BYTES = "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"
"""Character sets of the systems that texts are copied from."""
_NO_LETTER = re.compile(r"[^\x00-\x7f\w]|[\u02b0-\u02ff]")


class KnownValues:
    """Finds values again, in the spellings that people and devices use.

    Parameters
    ----------
    values
        Of which nothing is known: each is taken as a name and as an id. `of_elements` knows more.
    charset
        The value of Specific Character Set in which these and the values of `occur_in` are written.
    keys
        What is looked for beside the values.

    Attributes
    ----------
    words
        All keys: folded, and without what stands between their parts.
    dates, births
        Days; of `dates`, those on which somebody was born.
    """

    def __init__(
        self, values: Iterable[bytes] = (), charset: bytes = b"", *, keys: Keys | None = None
    ) -> None:
        self._keys = Keys() if keys is None else keys
        for value in values:
            self._keys.anything(_text(value, charset))
        self._charset = charset
        self._finder = Finder(self._keys)
        self.words = frozenset(self._keys.joined | self._keys.alone | self._keys.unspaced)
        self.dates = self._finder.days
        self.births: frozenset[date] = frozenset(self._keys.births)
        self._answers: dict[bytes, bool] = {}

    @classmethod
    def of_dataset(cls, top: Mapping[int, bytes], *, kept: Container[int] = ()) -> KnownValues:
        """Compile the values of a data set's top level, by tag, Specific Character Set among them.

        `kept`: attributes that the policy keeps; they need not be found again.
        """
        return cls.of_elements((Naming(None, tag, value) for tag, value in top.items()), kept=kept)

    @classmethod
    def of_elements(cls, elements: Iterable[Naming], *, kept: Container[int] = ()) -> KnownValues:
        """Compile values of any depth.

        Raises
        ------
        agents.anonymization.outcome.Refusal
            When there are more than can be looked for.
        """
        charset = b""
        found: set[tuple[Kind, bytes]] = set()
        parts = 0
        for parent, tag, value in elements:
            if tag == CHARACTER_SET and parent is None:
                charset = value.rstrip(b"\0 ")
                continue
            kind = kind_of(tag, parent)
            text = value.strip(b"\0 ")
            if kind is None or not text or tag in kept:
                continue
            if kind in (Kind.DAY, Kind.BIRTH):
                # the time of day differs from image to image
                found.update((kind, _DAY.sub(rb"\1", part)) for part in text.split(b"\\"))
            elif (kind, text) not in found:
                found.add((kind, text))
                parts += text.count(b"\\")
            if len(found) + parts > _MOST:
                raise Refusal(
                    "too-many-elements", "The object names more people and things than an object needs."
                )
        return _compiled(frozenset(found), charset)

    def union(self, other: KnownValues | None) -> KnownValues:
        """Give what either knows, for values in this one's character set."""
        return self if other is None or other is self else _united(self, other)

    def occur_in(self, value: bytes) -> bool:
        """Tell whether any of them stands in a value that the table trusts.

        Names that are ordinary words of codes and descriptors don't count here.
        """
        answer = self._answers.get(value)
        if answer is None:
            answer = any(map(self._finder.occurs, _said(value, self._charset)))
            if len(value) <= _SHORT_VALUE:
                if len(self._answers) >= _REMEMBERED:
                    self._answers.clear()
                self._answers[value] = answer
        return answer

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where any of them stands in a text (visible and plain, as `text.folding` makes it).

        Spans may overlap. Dates are not among them: `text.dates` finds those.
        """
        return self._finder.spans(text)

    def disguised(self, text: str) -> bool:
        """Tell whether any of them stands in a text backwards, or with the bytes of each two swapped."""
        return self._finder.disguised(text)


def _text(value: bytes, charset: bytes) -> str:
    """Give a value's text; of one that can't be read, what its bytes look like."""
    text = charset_of(charset).decode(value)
    return value.decode("latin-1") if text is None else text


def _said(value: bytes, charset: bytes) -> Iterator[str]:
    """Give a value's text: as it is, in what writers use and don't declare, and decoded."""
    text = _text(value, charset)
    yield text
    if not value.isascii():
        yield from _undeclared(value)
    if b"\0" in value:
        for other in ("utf-16-le", "utf-16-be"):
            yield value.decode(other, "replace")
    yield from readings(text)


def _undeclared(value: bytes) -> Iterator[str]:
    """Give what bytes may say in a character set that is not declared: hardly anything else is UTF-8."""
    try:
        yield value.decode("utf-8")
    except UnicodeDecodeError:
        for other in (*_CODE_PAGES, *_TWO_BYTES):
            with contextlib.suppress(UnicodeDecodeError):
                text = value.decode(other)
                # in the wrong code page letters become signs
                if other in _TWO_BYTES or not _NO_LETTER.search(text):
                    yield text


@functools.lru_cache(maxsize=64)
def _compiled(values: frozenset[tuple[Kind, bytes]], charset: bytes) -> KnownValues:
    keys = Keys()
    for kind, value in values:
        text = _text(value, charset)
        for form in {text, *repaired(text)}:
            several = [form] if kind in (Kind.ADDRESS, Kind.TELEPHONE) else form.split("\\")
            for one in several:
                _add(keys, kind, one)
    return KnownValues((), charset, keys=keys)


def _add(keys: Keys, kind: Kind, text: str) -> None:
    match kind:
        case Kind.PERSON:
            keys.name(text)
        case Kind.IDENTIFIER:
            keys.identifier(text)
        case Kind.PROCEDURE:
            keys.identifier(text, words=False)
        case Kind.TELEPHONE:
            keys.telephone(text)
        case Kind.PLACE:
            keys.place(text)
        case Kind.ADDRESS:
            keys.address(text)
        case Kind.BIRTH | Kind.DAY:
            keys.day(text, birth=kind is Kind.BIRTH)


@functools.lru_cache(maxsize=64)
def _united(one: KnownValues, other: KnownValues) -> KnownValues:
    keys = Keys()
    for known in (one, other):
        keys.update(known._keys)  # noqa: SLF001 - of the same class
    return KnownValues((), one._charset, keys=keys)  # noqa: SLF001 - of the same class
