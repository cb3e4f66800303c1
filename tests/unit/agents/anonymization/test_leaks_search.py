"""The search for leaks finds what there is, however it is spelled: else finding nothing proves nothing."""

from __future__ import annotations

import base64
import gzip
import zlib

import pytest

from tests.canaries.all_traps import TRAPS
from tests.canaries.finding import decoded, finder, still_there
from tests.canaries.person import make_person
from tests.canaries.planting import Canary
from tests.canaries.table_objects import PARTS, full, full_file
from tests.canaries.words import Words
from tests.canaries.writing import NATIVE

NAME = "Xöbrunalte"
CANARIES = [
    Canary("name", (), 0x00100010, "PN", f"{NAME}^Xerika"),
    Canary("born", (), 0x00100030, "DA", "19360721"),
]
SPELLED = {
    "plain": NAME.encode("latin-1"),
    "utf-8": NAME.encode(),
    "utf-16": NAME.encode("utf-16-le"),
    "utf-16, big": NAME.encode("utf-16-be"),
    "utf-32": NAME.encode("utf-32"),
    "upper": NAME.upper().encode(),
    "without accent": b"XOBRUNALTE",
    "German": b"xoebrunalte",
    "given name": b"--xerika--",
    "over values": "Xöbru\\nalte".encode(),
    "spaced": " ".join(NAME).encode(),
    "backwards": b"akirex",
    "swapped": b"eXirak",
    "base64": b"data:" + base64.b64encode(f"Pat. {NAME}".encode()),
    "base64 within": b"AB" + base64.b64encode(f"{NAME} was here".encode()),
    "hexadecimal": NAME.encode().hex().encode(),
    "deflated": b"stream" + zlib.compress(NAME.encode()) + b"end",
    "gzip": gzip.compress(NAME.encode()),
    "base64 of deflated": base64.b64encode(zlib.compress(NAME.encode() + bytes(90))),
    "entities": "".join(f"&#{ord(letter)};" for letter in NAME).encode(),
    "percent": b"X%C3%B6brunalte",
    "octal": rb"X\366brunalte",
    "dots": b"21.07.1936",
    "ISO": b"1936-07-21",
    "American": b"07/21/1936",
    "compact": b"from 21071936 on",
    "words": b"21. Jul 1936",
    "English": b"July 21, 1936",
    "English, short": b"Jul-21-1936",
    "DT": b"19360721101112.5+0100",
    "date in utf-16": "1936-07-21".encode("utf-16-le"),
    "behind digits of another element": b"\x10\x00\x30\x00\x08\x00\x00\x0019360721",
}


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_value_is_found_in_any_spelling(spelling):
    for around in (b"", b"\0\1\2", b"text ", b"\xff\xfe "):
        assert finder(CANARIES).find(around + SPELLED[spelling] + around), around


@pytest.mark.parametrize(
    "text", ["Xöbrun alta", "1936", "1936-12-07", "0721", "X", "2.25.119360721193607211936072119360721193607"]
)
def test_nothing_else_is_found(text):
    assert finder(CANARIES).find(text.encode()) == []


def test_a_pseudonym_that_was_planted_is_no_pseudonym():
    uid = f"2.25.{10**38 + 4711}"
    assert finder([Canary("uid", (), 0x00080018, "UI", uid)]).find(f"a {uid} b".encode())


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("part", PARTS)
def test_everything_that_is_planted_is_found(part, syntax):
    content, canaries = full_file(part, syntax)
    assert len(canaries) > 1900
    searched = {canary.label for canary in canaries if canary.words() or canary.days()}
    found = {leak.label.partition(" [")[0] for leak in finder(canaries).find(content)}
    assert found == searched
    assert len(searched) > 0.99 * len(canaries)
    if syntax == "explicit":
        assert len(still_there(decoded(content), canaries)) > 0.94 * len(canaries)


def test_two_seeds_share_no_value():
    one, two = (full(seed, "unlisted")[1] for seed in (1, 2))
    words = [set().union(*(canary.words() for canary in canaries)) for canaries in (one, two)]
    assert len(words[0]) > 4000
    assert words[0].isdisjoint(words[1])


@pytest.mark.parametrize("name", TRAPS)
def test_every_trap_holds_what_it_says(name):
    made = TRAPS[name]()
    assert made.left(made.content)
    found = {label.rpartition(" (")[0] for label in made.left(made.content)}
    assert made.words.keys() <= found, name


def test_a_person_is_found_by_each_of_its_sentences():
    person = make_person(Words(4))
    search = finder(
        [
            *(Canary(name, (), 0, "LO", str(value)) for name, value in person._asdict().items()),
            Canary("born", (), 0, "DA", f"{person.born:%Y%m%d}"),
        ]
    )
    assert [text for text in person.sentences() if not search.find(text.encode())] == []
