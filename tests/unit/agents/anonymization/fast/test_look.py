"""The second look refuses whatever the first pass could have done wrong."""

from __future__ import annotations

import struct

import pytest

from agents.anonymization.fast.engine import FastPath
from agents.anonymization.fast.look import Look, Places
from agents.anonymization.fast.making import Maker
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.rules import Rules
from agents.anonymization.text.known import KnownValues
from gateway.part10 import Encoding
from streams.copying import Span
from tests.unit.agents.anonymization.fast.comparing import KEY, POLICIES
from tests.unit.agents.anonymization.fast.writing import CT, Element, ct_file, data_set, written

PSEUDONYM = b"2.25." + 39 * b"1"
GOOD = [
    Element(0x00080016, "UI", CT.encode() + b"\0"),
    Element(0x00080018, "UI", PSEUDONYM),
    Element(0x00080020, "DA", b""),
    Element(0x00080070, "LO", b"Maker "),
    Element(0x00082218, "SQ", [[Element(0x00080104, "LO", b"Head")]]),
    Element(0x00100010, "PN", b"0123"),
    Element(0x00120062, "CS", b"YES "),
    Element(0x00120064, "SQ", [[Element(0x00080100, "SH", b"113100")]]),
    Element(0x00280010, "US", b"\4\0"),
]
PIXELS = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 32)
FRAGMENTS = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def look(parts, *, implicit=False, policy="basic"):
    """Twice, so that what was seen is seen again; and the parts in pieces as in one."""
    seen = Look(
        Places(Rules(POLICIES[policy], CT), Encoding(implicit=implicit, little=True)),
        KnownValues([b"Mustermann^Erika"]),
    )
    seen.at(parts)
    seen.at(parts)
    return True


def pieces(elements, *, implicit=False):
    return [written(one, implicit=implicit) for one in elements]


@pytest.mark.parametrize("implicit", [False, True])
def test_what_is_right_passes(implicit):
    assert look(pieces(GOOD, implicit=implicit), implicit=implicit)
    assert look([data_set(GOOD, implicit=implicit)], implicit=implicit)


def test_pixels_pass_where_they_are_a_value():
    assert look([*pieces(GOOD), PIXELS, Span(500, 32)])
    assert look([data_set(GOOD) + PIXELS, Span(500, 32), b""])
    assert look([*pieces(GOOD), FRAGMENTS, Span(500, 32), END])
    implicit = struct.pack("<HHI", 0x7FE0, 0x10, 32)
    assert look([*pieces(GOOD, implicit=True), implicit, Span(500, 32)], implicit=True)


def changed(*changes):
    """GOOD with elements in place of those of their tags, or beside them, in order."""
    found = {one.tag: one for one in GOOD} | {one.tag: one for one in changes}
    return pieces(found[tag] for tag in sorted(found))


@pytest.mark.parametrize(
    "wrong",
    [
        Element(0x0008103E, "LO", b"Axial "),  # removed by the table
        Element(0x00190010, "LO", b"MAKER "),  # private
        Element(0x60003000, "OW", b"\0\0"),
        Element(0x00080018, "UI", b"1.2.3.4.1\0"),
        Element(0x00080018, "UI", PSEUDONYM + b"\\1.2.3"),
        Element(0x00080020, "DA", b"20240301"),
        Element(0x00080070, "LO", b"of ERIKA"),
        Element(0x00082218, "SQ", [[Element(0x00080104, "LO", b"Erika ")]]),
        Element(0x00082218, "SQ", [[Element(0x00080080, "LO", b"Clinic")]]),
        Element(0x00082218, "SQ", [[Element(0x00080104, "LO", b"a "), Element(0x00080100, "SH", b"b ")]]),
        Element(0x00082218, "SQ", [[Element(0x00080104, "LO", b"Head", said=6)]]),
        Element(0x00082218, "SQ", [[]], undefined=True),
        Element(0x00082218, "UN", b"Head"),
        Element(0x00280010, "US", b"\4\0", said=4),
        Element(0x00280010, "OW", b"\4\0", reserved=1),
        Element(0x0010D00D, "LO", b"x "),
    ],
)
def test_what_is_wrong_is_refused(wrong):
    parts = changed(wrong)
    for given in (parts, [b"".join(parts)]):
        with pytest.raises(Refusal) as refused:
            look(given)
        assert refused.value.reason == "not-verified"


@pytest.mark.parametrize(
    "parts",
    [
        [*pieces(GOOD), PIXELS, Span(500, 30)],
        [*pieces(GOOD), PIXELS, Span(500, 32), END],
        [*pieces(GOOD), FRAGMENTS, Span(500, 32)],
        [*pieces(GOOD), FRAGMENTS, Span(500, 32), END[:4]],
        [*pieces(GOOD), Span(500, 32)],
        [Span(500, 32), *pieces(GOOD)],
        [*pieces(GOOD), PIXELS, Span(500, 32), Span(600, 32)],
        [*pieces(GOOD), PIXELS],
        [*pieces(GOOD), PIXELS[:6], Span(500, 32)],
        [*pieces(GOOD), struct.pack("<HH2sHI", 0x7FE1, 0x10, b"OB", 0, 32), Span(500, 32)],
        [*pieces(GOOD), b"\0"],
        [*pieces(GOOD), bytes(8)],
        [*pieces(GOOD), END],
        [*pieces(GOOD)[3:], *pieces(GOOD)[:3]],
        [*pieces(GOOD), pieces(GOOD)[-1]],
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts):
    with pytest.raises(Refusal):
        look(parts)


def test_a_private_element_is_judged_by_its_creator_each_time():
    creator, value = Element(0x00190010, "LO", b"BENCH MAKER "), Element(0x00191002, "LO", b"x ")
    elements = changed(creator, value)
    assert look(elements, policy="private")
    both = Look(
        Places(Rules(POLICIES["private"], CT), Encoding(implicit=False, little=True)), KnownValues(())
    )
    both.at(elements)
    with pytest.raises(Refusal):
        both.at(changed(creator._replace(value=b"SOMEBODY"), value))


def test_a_block_that_was_reserved_before_is_judged_by_its_creator_inside_a_part_too():
    first, second = Element(0x00190010, "LO", b"BENCH MAKER "), Element(0x00190011, "LO", b"BENCH MAKER ")
    behind = data_set([second, Element(0x00191002, "LO", b"x ")])
    both = Look(
        Places(Rules(POLICIES["private"], CT), Encoding(implicit=False, little=True)), KnownValues(())
    )
    both.at([written(first), behind])
    with pytest.raises(Refusal):
        both.at([written(first._replace(value=b"SOMEBODY")), behind])


@pytest.mark.parametrize("wrong", [b"", b"\x10\0\x20\0LO\4\0PID ", b"\x08\0\x80\0LO\4\0Here"])
def test_an_object_that_was_made_wrongly_is_passed_on(monkeypatch, wrong):
    """The careful way takes it: nothing wrong comes out."""
    right = Maker.data_set

    def mistaken(self, tokens, numbers, written):
        parts = right(self, tokens, numbers, written)
        return [*parts[:3], wrong, *parts[3:]]

    monkeypatch.setattr(Maker, "data_set", mistaken)
    taken = FastPath(KEY, POLICIES["basic"]).take(ct_file())
    assert (taken is None) == bool(wrong)
