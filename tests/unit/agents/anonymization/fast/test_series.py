"""Objects that fit a pattern come out as by the careful way; whatever else moves is read anew."""

from __future__ import annotations

import pytest

from agents.anonymization.fast import series as series_module
from agents.anonymization.fast.engine import FastPath
from agents.anonymization.fast.making import Maker
from agents.anonymization.text.known import KnownValues
from tests.unit.agents.anonymization.fast.comparing import KEY, POLICIES, carefully, plain
from tests.unit.agents.anonymization.fast.writing import Element, ct_file, padded

MAKER = [Element(0x00190010, "LO", b"BENCH MAKER "), Element(0x00191002, "LO", b"x ")]
CODE = [Element(0x00080100, "SH", b"CTH "), Element(0x00080104, "LO", b"Head")]
TAIL = Element(0xFFFCFFFC, "OB", bytes(16))


def slice_of(number, *more, implicit=False):
    """Number, place and UIDs move, some of them in length, and so do private and nested ones."""
    reference = [Element(0x00081155, "UI", padded(f"1.2.3.5.{number}", b"\0"))]
    given = {one.tag: one for one in more}
    own = [
        Element(0x00080018, "UI", padded(f"1.2.3.4.{number}", b"\0")),
        Element(0x00080033, "TM", f"1011{number % 60:02}".encode()),
        Element(0x00081140, "SQ", [reference], undefined=bool(number % 2)),
        Element(0x00191005, "US", bytes((number % 256, 0))),
        Element(0x00200013, "IS", padded(str(number))),
        Element(0x00200032, "DS", padded(f"0\\0\\{number}.5")),
        Element(0x00281055, "LO", padded("W" * (number % 3))),
    ]
    elements = [one for one in own if one.tag not in given] + [one for one in MAKER if one.tag not in given]
    return ct_file(*elements, *given.values(), implicit=implicit)


def begun(policy, *more, implicit=False, study=None):
    """A fast path that has a pattern of a series."""
    path = FastPath(KEY, POLICIES[policy])
    for number in range(8, 14):
        alike(path, policy, slice_of(number, *more, implicit=implicit), study)
    return path


def alike(path, policy, content, study=None):
    """The careful way's outcome, or None; gives it."""
    fast = plain(path.take(content, study))
    if fast is not None:
        assert fast == plain(carefully(content, POLICIES[policy], study))
    return fast


@pytest.fixture
def fitting(monkeypatch):
    """How often an object fitted."""
    fitted = []
    taken = series_module.Series._taken

    def counted(self, source, moved):
        fitted.append(moved)
        return taken(self, source, moved)

    monkeypatch.setattr(series_module.Series, "_taken", counted)
    return fitted


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("implicit", [False, True])
def test_the_slices_of_a_series_fit_its_pattern(policy, implicit, fitting):
    path = begun(policy, TAIL, implicit=implicit)
    fitting.clear()
    for number in (1, 14, 99, 100, 101, 12345):
        assert alike(path, policy, slice_of(number, TAIL, implicit=implicit)) is not None
    assert len(fitting) == 6


@pytest.mark.parametrize("policy", ["basic", "private"])
def test_no_byte_of_the_header_is_passed_over(policy, fitting):
    """Whichever byte is another one, the object comes out as by the careful way, or by none."""
    path = begun(policy, TAIL)
    known, content = path._lately, slice_of(20, TAIL)
    for position in range(128, len(content)):
        path._lately = known
        alike(path, policy, bytes((*content[:position], content[position] ^ 1, *content[position + 1 :])))
    assert 40 < len(fitting) < 160


@pytest.mark.parametrize(
    "changed",
    [
        lambda content: content[:-1],
        lambda content: content[:-40],
        lambda content: content[:300],
        lambda content: content + b"\0\0",
        lambda content: content + content[-24:],
        lambda content: content.replace(b"\xfc\xff\xfc\xff", b"\xfc\xff\xfd\xff"),
        lambda content: content.replace(b"OW\0\0\x20", b"OW\0\0\x1e"),
        lambda content: content.replace(b"DICM", b"DICO"),
        lambda content: b"x" * 128 + content[128:],
    ],
)
def test_what_ends_otherwise_does_not_fit(changed):
    path = begun("research", TAIL)
    alike(path, "research", changed(slice_of(20, TAIL)))


@pytest.mark.parametrize(
    "element",
    [
        lambda number: Element(0x00080005, "CS", (b"ISO_IR 100", b"ISO_IR 192")[number % 2]),
        lambda number: Element(0x00080008, "CS", (b"ORIGINAL\\PRIMARY ", b"DERIVED\\SECONDARY ")[number % 2]),
        lambda number: Element(0x00080050, "SH", f"ACC-{number:04}".encode()),
        lambda number: Element(0x00080060, "CS", (b"CT", b"MR")[number % 2]),
        lambda number: Element(0x00100010, "PN", f"Weiss^{number:04}".encode()),
        lambda number: Element(0x00100020, "LO", f"PID-{number:04}".encode()),
        lambda number: Element(0x00101010, "AS", f"0{number:02}Y".encode()),
        lambda number: Element(0x00180015, "CS", (b"HEAD", b"FOOT")[number % 2]),
        lambda number: Element(0x0020000E, "UI", padded(f"1.2.3.{number}", b"\0")),
        lambda number: Element(0x00280301, "CS", (b"NO", b"YES ")[number % 2]),
        lambda number: Element(0x00190010, "LO", (b"BENCH MAKER ", b"ANOTHER ")[number % 2]),
        lambda number: Element(
            0x00081110, "SQ", [[*CODE, Element(0x00401101, "SQ", [CODE])], CODE][number % 2 :]
        ),
        lambda number: Element(0x0040A730, "SQ", [[Element(0x0040A123, "PN", b"A^%02d " % number)]]),
    ],
)
def test_what_more_depends_on_does_not_move_in_a_pattern(element):
    for policy in ("private", "research"):
        path = FastPath(KEY, POLICIES[policy])
        for number in range(8, 20):
            alike(path, policy, slice_of(number, element(number)))
        for known in path._lately:
            assert element(9).tag not in known._pattern.tags or element(9).tag == 0x00081110


def test_a_name_in_what_moves_is_found_in_the_rest():
    """An operator's name, in a sequence that moves, stands in a description that stands still."""

    def with_operator(number, name):
        item = [Element(0x00081155, "UI", padded(f"1.2.3.{number}", b"\0"))]
        item[:0] = [Element(0x00081070, "PN", name)] if name else []
        return slice_of(
            number, Element(0x00081115, "SQ", [item]), Element(0x00080070, "LO", b"Room of DOROTHEA")
        )

    for policy in ("basic", "full"):
        path = FastPath(KEY, POLICIES[policy])
        for number in range(8, 20):
            assert b"DOROTHEA" in alike(path, policy, with_operator(number, b""))["output"]
        assert path._lately
        found = path.take(with_operator(20, b"Dorothea^Weber"))
        assert found is None or b"DOROTHEA" not in found.content
        alike(path, policy, with_operator(20, b"Dorothea^Weber"))


def test_what_is_made_of_what_moves_is_looked_at(monkeypatch):
    path = begun("basic")
    assert path.take(slice_of(20)) is not None
    made = Maker.anew
    monkeypatch.setattr(Maker, "anew", lambda *args: made(*args).replace(b"2.25.", b"1.25."))
    assert path.take(slice_of(20)) is None


def test_pixels_are_checked_where_the_header_fits(fitting):
    bits = [Element(0x00280101, "US", b"\x0c\0"), Element(0x00280102, "US", b"\x0b\0")]
    path = begun("basic", *bits, Element(0x7FE00010, "OW", bytes(32)))
    fitting.clear()
    hidden = slice_of(20, *bits, Element(0x7FE00010, "OW", b"\0\xf0" * 16))
    assert carefully(hidden, POLICIES["basic"]) is not None
    assert path.take(hidden) is None
    assert len(fitting) == 1


def test_a_study_that_calls_people_otherwise_has_a_pattern_of_its_own():
    maker = Element(0x00080070, "LO", b"Tomograf")
    path = begun("basic", maker)
    study = KnownValues([b"Tomograf"])
    found = path.take(slice_of(20, maker), study)
    assert b"Tomograf" not in found.content
    alike(path, "basic", slice_of(20, maker), study)
    assert b"Tomograf" in path.take(slice_of(20, maker)).content


def test_what_moves_counts_among_the_elements_that_an_object_may_have(fitting):
    path = begun("basic")
    many = [[Element(0x00280000 | number, "LO", b"") for number in range(0xF000, 0xF400)]]
    fitting.clear()
    assert path.take(slice_of(20, Element(0x00081140, "SQ", many))) is not None
    assert len(fitting) == 1
    assert path.take(slice_of(20, Element(0x00081140, "SQ", 30 * many))) is None
    assert len(fitting) == 1


def test_a_few_series_are_remembered_side_by_side(fitting):
    path = FastPath(KEY, POLICIES["basic"])
    kinds = [Element(0x00100020, "LO", b"PID-%02d00" % kind) for kind in range(6)]
    for kind in kinds:
        for number in range(8, 18):
            alike(path, "basic", slice_of(number, kind))
    assert len(path._lately) == 4
    fitting.clear()
    for number in range(20, 24):
        for kind in kinds[2:]:
            alike(path, "basic", slice_of(number, kind))
    assert len(fitting) == 16
    assert len(path._lately) == 4


def test_what_moves_now_and_then_is_read_anew_once(fitting):
    def seldom(number):
        return [
            Element(0x00080013, "TM", f"1012{number // 10:02}".encode()),
            Element(0x00280106, "US", bytes((number // 15, 0))),
        ]

    path = FastPath(KEY, POLICIES["basic"])
    for number in range(100):
        assert alike(path, "basic", slice_of(number, *seldom(number))) is not None
    # The first four, and where each of the two is seen to move.
    assert len(fitting) >= 94


def test_another_patient_has_a_pattern_soon(fitting):
    path = begun("research")
    fitting.clear()
    for number in range(8, 14):
        alike(path, "research", slice_of(number, Element(0x00100010, "PN", b"Weiss^Dora")))
    assert len(fitting) == 3
