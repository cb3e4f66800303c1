"""What the fast path takes comes out as by the careful way, byte for byte; what that refuses stays in."""

from __future__ import annotations

import struct

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR

from agents.anonymization.fast import engine
from agents.anonymization.fast.engine import FastPath
from agents.anonymization.policy.document import Override, Policy, QuarantineRules
from agents.anonymization.text.known import KnownValues
from gateway.part10 import LONG_VRS, SHORT_VRS
from tests.unit.agents.anonymization.fast.comparing import KEY, POLICIES, carefully, fast_path, plain
from tests.unit.agents.anonymization.fast.writing import (
    CT,
    EXPLICIT,
    IMPLICIT,
    Element,
    ct,
    ct_file,
    data_set,
    padded,
    part10,
)

WORDS = [
    "",
    "1",
    "22.5",
    "Erika",
    "CT",
    "AXIAL",
    "PID-12345",
    "4711",
    "ACC-4711 b",
    "M\xfcller",
    "a\\b",
    "20240301",
]
VALUES = {
    "DA": ["20240301", "19000101", "", "2024", "20241301"],
    "TM": ["101112", "101112.5", ""],
    "DT": ["20240301101112", "2024", ""],
    "UI": ["1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.5\\1.2.3", "", "no uid"],
    "DS": ["1", "-1.5\\2", " 3.25 ", "2", "4711", "", "1" * 20],
    "IS": ["1", "-3\\4", "4711", ""],
    "AS": ["059Y", "104Y", "Erika", ""],
    "CS": ["CT", "HEAD", "M", "ISO_IR 100", "ISO_IR 192", "Erika", "A\\B", ""],
}
SEQUENCES = [
    *(0x00082218, 0x52009229, 0x00189346, 0x00081140, 0x00081115, 0x0040A730, 0x00700001, 0x00101002),
    *(0x00401101, 0x00080082, 0x00400440, 0x00081110),
]
TAGS = [
    *(
        0x00080000,
        0x00080005,
        0x00080012,
        0x00080022,
        0x0008002A,
        0x00080054,
        0x00080080,
        0x00080100,
        0x00080104,
    ),
    *(
        0x00081010,
        0x00081030,
        0x00081090,
        0x00081155,
        0x00082111,
        0x00083010,
        0x00100032,
        0x00101020,
        0x00102154,
    ),
    *(
        0x00104000,
        0x00120062,
        0x00120064,
        0x00180010,
        0x00180015,
        0x00181000,
        0x00181030,
        0x00181063,
        0x00189073,
    ),
    *(
        0x00200010,
        0x00204000,
        0x00209157,
        0x00280006,
        0x00280008,
        0x00280106,
        0x00280301,
        0x00280303,
        0x00281201,
    ),
    *(
        0x00321060,
        0x0040A160,
        0x0040A124,
        0x00400244,
        0x00420011,
        0x54000110,
        0x60000022,
        0x60000100,
        0x60003000,
    ),
    *(0x0010D00D, 0x00086666, 0x7FE00008, 0xFFFCFFFC, 0x04000550),
]
PRIVATE = [
    *(
        0x00190010,
        0x00190011,
        0x00191002,
        0x00191003,
        0x00191102,
        0x00210010,
        0x00211002,
        0x00211023,
        0x20010010,
    ),
    *(0x20011003, 0x20011023, 0x7FE10010, 0x7FE11010, 0x60010010, 0x00190002, 0x0019000F),
]
CHARSET, CHARSETS = 0x00080005, [b"ISO_IR 100"] * 4 + [b"ISO_IR 192", b"", b"Erika "]
CREATORS = ["BENCH MAKER", "GEMS_ACQU_01", "Philips Imaging DD 001", "Erika"]


def known(tag):
    try:
        return str(dictionary_VR(tag)).split(" or ")[0]
    except KeyError:
        return "UN"


def texts(vr):
    return st.sampled_from(VALUES.get(vr, WORDS)).map(
        lambda text: padded(text, b"\0" if vr == "UI" else b" ")
    )


def values(vr):
    if vr in ("OB", "OW", "OF", "OD", "OL", "OV", "UN"):
        return st.binary(max_size=12)
    if vr in ("US", "SS", "UL", "SL", "FL", "FD", "AT", "SV", "UV"):
        return st.sampled_from([b"", b"\0\1", b"\1\0\0\0", bytes(8), b"Erika!", b"odd"])
    return st.one_of(*[texts(vr)] * 11, st.binary(max_size=5))


@st.composite
def elements(draw, depth=2):
    private = draw(st.integers(0, 3)) == 0
    tag = draw(st.sampled_from(PRIVATE if private else TAGS))
    vr = known(tag)
    if private:
        vr = draw(st.sampled_from(["LO", "DS", "UN", "OB", "US", "SQ", "FL", "UI", "DA"]))
        vr = "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else vr
    if draw(st.integers(0, 59)) == 0:
        vr = draw(st.sampled_from([*sorted(SHORT_VRS), *sorted(LONG_VRS)]))
    if depth and draw(st.integers(0, 3)) == 0:
        tag, vr = draw(st.sampled_from(SEQUENCES)) if not private else tag, "SQ"
    undefined = vr in ("SQ", "UN") and draw(st.booleans())
    if vr == "SQ" or (undefined and depth):
        items = draw(st.lists(data_sets(depth - 1), max_size=3)) if depth else []
        return Element(tag, vr, items, undefined)
    if private and 0x10 <= tag & 0xFFFF <= 0xFF:
        return Element(tag, vr, padded(draw(st.sampled_from(CREATORS))))
    rarely = draw(st.integers(0, 99)) == 0
    said = draw(st.integers(0, 40)) if rarely else None
    value = draw(values(vr)) if tag != CHARSET else draw(st.sampled_from(CHARSETS))
    return Element(tag, vr, value, said=said, reserved=int(draw(st.integers(0, 199)) == 0))


@st.composite
def data_sets(draw, depth):
    found = draw(st.lists(elements(depth), max_size=5))
    ordered = {one.tag: one for one in found}
    return [ordered[tag] for tag in sorted(ordered)] if draw(st.integers(0, 40)) else found


@st.composite
def objects(draw):
    """Mostly a CT that is as it should be, with things in it that are not."""
    more = draw(st.lists(elements(), max_size=8))
    without = draw(st.sampled_from([(), (), (), (0x00100010,), (0x00100010, 0x00100020), (0x00280010,)]))
    found = ct(*more, without=without)
    if not draw(st.integers(0, 40)):
        found = draw(st.permutations(found))
    return found


@st.composite
def files(draw):
    implicit = draw(st.booleans())
    body = data_set(draw(objects()), implicit=implicit)
    body += draw(st.sampled_from([b""] * 8 + [bytes(10), bytes(3000)] * 2 + [b"\0\0\0\1", b"behind"]))
    return part10(body, IMPLICIT if implicit else EXPLICIT)


STUDY = KnownValues.of_dataset(
    {0x00080005: b"ISO_IR 100", 0x00100010: b"M\xfcller^Dora", 0x00100020: b"22-5"}
)
"""What other objects of a study call somebody, in words that are generated."""


def compare(content, name, study=None):
    fast = fast_path(name).take(content, study)
    careful = carefully(content, POLICIES[name], study)
    if fast is None:
        return "passed on" if careful else "refused by both"
    assert plain(fast) == plain(careful)
    return "taken"


@settings(max_examples=400, deadline=None)
@given(files(), st.sampled_from(list(POLICIES)), st.sampled_from([None, STUDY]))
def test_generated_objects_come_out_alike(content, name, study):
    event(compare(content, name, study))


@settings(max_examples=60, deadline=None)
@given(st.lists(files(), min_size=2, max_size=3), st.data(), st.sampled_from(list(POLICIES)))
def test_generated_series_come_out_alike_in_any_order(kinds, data, name):
    """Each kind so often on end that it stands still, then one after the other."""
    expected = [plain(carefully(content, POLICIES[name])) for content in kinds]
    order = [place for place in range(len(kinds)) for _ in range(4)]
    order += data.draw(st.lists(st.integers(0, len(kinds) - 1), max_size=6))
    for place in order:
        fast = fast_path(name).take(kinds[place])
        assert fast is None or plain(fast) == expected[place]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from(list(POLICIES)))
def test_damaged_objects_are_never_taken_for_others(data, implicit, name):
    sequence = Element(
        0x00082218, "SQ", [[Element(0x00080104, "LO", b"Head")]], undefined=data.draw(st.booleans())
    )
    source = bytearray(ct_file(sequence, Element(0x00191010, "LO", b"x "), implicit=implicit))
    for _ in range(data.draw(st.integers(1, 3))):
        source[data.draw(st.integers(128, len(source) - 1))] = data.draw(st.integers(0, 255))
    compare(bytes(source[: data.draw(st.integers(len(source) // 2, len(source)))]), name)


@pytest.mark.parametrize("name", list(POLICIES))
@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize(
    "more",
    [
        [],
        [Element(0x00081115, "SQ", [[Element(0x0020000E, "UI", b"1.2.3.9\0")]], undefined=True)],
        [
            Element(
                0x00082218, "SQ", [[Element(0x00080100, "SH", b"T-1 "), Element(0x00080104, "LO", b"Head")]]
            )
        ],
        [Element(0x00190010, "LO", b"BENCH MAKER "), Element(0x00191002, "LO", b"x ")],
        [Element(0x00091001, "UN", [[Element(0x00100010, "PN", b"Erika ")]], undefined=True)],
        [Element(0x00181063, "DS", b"12.5"), Element(0x00280008, "IS", b"1 ")],
        [Element(0x00280301, "CS", b"NO")],
        [Element(0xFFFCFFFC, "OB", bytes(64))],
        [Element(0x00400440, "SQ", [], undefined=True)],
    ],
)
def test_ordinary_objects_are_taken(name, implicit, more):
    assert compare(ct_file(*more, implicit=implicit), name) == "taken"


@pytest.mark.parametrize(
    "more",
    [
        Element(0x00200052, "UN", b"1.2.3.4.5\0"),
        Element(0x00180050, "LO", b"1.25"),
        Element(0x00080070, "LO", b"odd"),
        Element(0x0008103E, "LO", b""),
        Element(0x00100010, "PN", b"M\xfcller^E "),
        Element(0x00181020, "LO", b"V\\1 "),
    ],
)
def test_sloppy_objects_are_taken(more):
    assert compare(ct_file(more), "basic") == "taken"


@pytest.mark.parametrize(
    "more",
    [
        Element(0x00191001, "SQ", [[Element(0x00080104, "LO", b"a ", reserved=0)]], said=400),
        Element(0x00180050, "SQ", []),
        Element(0x00420011, "OB", b"%PDF"),
        Element(0x00280010, "OB", b"\4\0"),
        Element(0x00200052, "UI", b"1.2.3.4.5\0", said=9000),
        Element(0x00080005, "CS", b"Erika "),
        Element(0x60000102, "US", b"\x0c\0"),
        Element(0x00180015, "OB", b"HEAD", reserved=7),
        Element(0x00400440, "SQ", [[Element(0x0040A30A, "DS", b"1 ")]]),
    ],
)
def test_what_it_does_not_know_is_passed_on(more):
    assert compare(ct_file(more), "basic") != "taken"


def test_what_the_careful_way_alone_can_read_is_passed_on():
    body = data_set(ct())
    assert compare(part10(body, "1.2.840.10008.1.2.2"), "basic") != "taken"
    assert compare(b"", "basic") == "refused by both"
    assert compare(part10(body)[132:], "basic") == "refused by both"


def test_another_class_than_the_meta_says_has_its_own_rules():
    """A PET has to have an Acquisition Date, be it empty; in a CT it goes."""
    body = data_set(ct(Element(0x00080022, "DA", b"20240301")))
    assert compare(part10(body, sop_class="1.2.840.10008.5.1.4.1.1.128"), "basic") == "taken"


@pytest.mark.parametrize("sequence", [0x00081115, 0x00401101, 0x00091001])
@pytest.mark.parametrize("undefined", [False, True])
def test_a_name_from_inside_a_sequence_is_found_elsewhere(sequence, undefined):
    """Also from one that goes, but not from a private one, which nobody reads."""
    person = [Element(0x00080104, "LO", b"Tomograf"), Element(0x00101001, "PN", b"Tomograf")]
    inside = Element(sequence, "SQ", [person], undefined)
    content = ct_file(inside, Element(0x00080070, "LO", b"Tomograf"))
    assert compare(content, "basic") == "taken"
    found = fast_path("basic").take(content).content
    assert b"Tomograf" not in found


def test_what_the_study_calls_somebody_is_found(monkeypatch):
    study = KnownValues.of_dataset({0x00100010: b"Weiss^Dora"})
    content = ct_file(Element(0x00080070, "LO", b"of Dora "))
    found = fast_path("basic").take(content, study)
    assert plain(found) == plain(carefully(content, POLICIES["basic"], study))
    assert b"Dora" not in found.content
    assert b"Dora" in fast_path("basic").take(content).content


@pytest.mark.parametrize(
    "changes",
    [
        {"quarantine": QuarantineRules(modalities=["CT"])},
        {"quarantine": QuarantineRules(sop_classes=[CT])},
        {"encrypt_for": ["a certificate"]},
        {"attributes": {"SOPInstanceUID": Override(action="remove")}},
    ],
)
def test_what_a_policy_asks_for_and_it_does_not_do_is_passed_on(changes):
    assert FastPath(KEY, Policy(name="asks", version=1, **changes)).take(ct_file()) is None


def test_a_sequence_that_a_policy_takes_for_a_safe_value_is_passed_on():
    maker = Element(0x00190010, "LO", b"BENCH MAKER ")
    person = [[Element(0x00101001, "PN", b"Dora")]]
    for undefined in (False, True):
        content = ct_file(maker, Element(0x00191002, "SQ", person, undefined))
        assert compare(content, "private") != "taken"


def test_pixels_of_an_image_that_does_not_say_its_size_are_passed_on():
    content = ct_file(Element(0x7FE00010, "OW", bytes(32)), without=(0x00280010,))
    assert compare(content, "basic") != "taken"


def test_an_object_whose_pixels_are_to_be_cleaned_is_passed_on(monkeypatch):
    monkeypatch.setattr(engine, "check_object", lambda *_: True)
    assert FastPath(KEY, POLICIES["basic"]).take(ct_file()) is None


def test_more_elements_than_an_object_may_have_are_refused_by_both():
    many = b"".join(struct.pack("<HH2sH", 9, number, b"LO", 0) for number in range(0x10, 0x6000))
    body = data_set(ct())
    at = body.index(b"\x10\0\x10\0PN")
    assert compare(part10(body[:at] + many + body[at:]), "basic") == "refused by both"


@pytest.mark.parametrize(
    ("signed", "sample", "found"),
    [(b"\0\0", b"\xff\x0f", "taken"), (b"\0\0", b"\xff\x1f", "passed on"), (b"\1\0", b"\xff\xff", "taken")],
)
def test_bits_that_belong_to_no_value_are_for_the_careful_way(signed, sample, found):
    more = [
        Element(0x00280010, "US", b"\2\0"),
        Element(0x00280011, "US", b"\1\0"),
        Element(0x00280100, "US", b"\x10\0"),
        Element(0x00280101, "US", b"\x0c\0"),
        Element(0x00280102, "US", b"\x0b\0"),
        Element(0x00280103, "US", signed),
        Element(0x7FE00010, "OW", b"\1\0" + sample),
    ]
    assert compare(ct_file(*more), "basic") == found
