"""What each action makes of a value."""

from __future__ import annotations

import time

import pytest
from pydicom.uid import CTImageStorage

from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Override, Policy, Pseudonyms
from agents.anonymization.policy.rules import Action, Decision, Rules, tag_of
from agents.anonymization.text.known import KnownValues
from agents.anonymization.values import Values
from gateway.identity import pseudonymous_uid

KNOWN = (b"Mustermann^Erika", b"PID-12345")


class Eraser:
    """Takes every known word out; nothing left is nothing."""

    def clean(self, text, vr):
        assert vr in ("LO", "SH", "LT", "ST", "UT", "UC")
        return text.replace(b"Mustermann", b"").strip() or None


@pytest.fixture
def values(key):
    def make(*options, cleaner=None, document=None, charset=b"ISO_IR 100", prefix="", **attributes):
        policy = Policy(
            name="tried",
            version=1,
            options=frozenset(options),
            pseudonyms=Pseudonyms(prefix=prefix),
            attributes={name: Override(action=action) for name, action in attributes.items()},
        )
        return Values(
            key=key,
            rules=Rules(policy, CTImageStorage),
            patient="0123456789abcdef0123456789abcdef",
            known=KnownValues(KNOWN),
            cleaner=cleaner or Eraser(),
            shift_days=10,
            charset=charset,
            document=document,
        )

    return make


def made(values, action, vr, value, *, tag=0x00080000, otherwise=None, replacement=None):
    return values().make(Decision(action, "", replacement, otherwise), tag, vr, value)


def test_a_pseudonym_has_the_policys_prefix(values):
    name = Decision(Action.PATIENT, "")
    assert values(prefix="STUDY7-").make(name, 0x00100010, "PN", b"") == (
        b"STUDY7-0123456789abcdef0123456789abcdef"
    )
    assert values().make(name, 0x00100020, "LO", b"PID-12345") == b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "action", sorted(set(Action) - {Action.PATIENT, Action.REPLACE, Action.REMOVE}, key=str)
)
def test_what_is_empty_stays_empty(values, action):
    assert made(values, action, "LO", b"") == b""


@pytest.mark.parametrize("vr", ["LO", "PN", "DA", "DS", "US", "OB", "UI", "AE", "UT"])
def test_removed_emptied_and_dummies_keep_nothing(values, vr):
    assert made(values, Action.REMOVE, vr, b"Mustermann") is None
    assert made(values, Action.EMPTY, vr, b"Mustermann") == b""
    dummy = made(values, Action.DUMMY, vr, b"Mustermann")
    assert dummy
    assert b"Mustermann" not in dummy


@pytest.mark.parametrize("vr", ["FD", "OD", "SV", "UV"])
def test_no_word_stands_in_place_of_a_number(values, vr):
    for word in (b"Erika\0\0\0", b" erika  ", b"PID12345", b"\0\0\0akirE", b"54321DIP"):
        assert made(values, Action.KEEP, vr, word, tag=0x00189073, otherwise=Action.REMOVE) is None
        assert made(values, Action.KEEP, vr, word, tag=0x00189073) == bytes(8)
    assert made(values, Action.KEEP, vr, b"@\x93Jx\0\0\0\0", tag=0x00189073)


@pytest.mark.parametrize("text", [b"Siemens ", b"4d75 "], ids=["words", "digits"])
def test_a_text_that_is_too_long_to_look_through_goes(values, text):
    text *= 20_000
    assert made(values, Action.KEEP, "LO", text, otherwise=Action.REMOVE) is None
    assert made(values, Action.KEEP, "LO", text) == b"ANONYMIZED"


def test_more_words_than_a_table_has_go_at_once(values):
    many = b"".join(b"%06d " % number for number in range(130_000))
    began = time.process_time()
    assert made(values, Action.KEEP, "OB", many) == bytes(2)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("vr", "size"), [("US", 2), ("OW", 2), ("FL", 4), ("UL", 4), ("FD", 8), ("OD", 8)])
def test_no_name_stands_in_numbers_of_the_other_byte_order(values, vr, size):
    text = b"for Mustermann, Erika   "
    swapped = b"".join(text[at : at + size][::-1] for at in range(0, len(text), size))
    assert made(values, Action.KEEP, vr, swapped, tag=0x00091001, otherwise=Action.REMOVE) is None
    nobody = swapped.replace(b"a", b"o").replace(b"e", b"u")
    assert made(values, Action.KEEP, vr, nobody, tag=0x00091001, otherwise=Action.REMOVE) == nobody


def test_uids_are_replaced_one_by_one(values, key):
    some = b"1.2.3.4\\1.2.840.10008.1.2\\1.2.3.5\0"
    expected = (pseudonymous_uid(key, "1.2.3.4"), "1.2.840.10008.1.2", pseudonymous_uid(key, "1.2.3.5"))
    assert made(values, Action.UID, "UI", some) == "\\".join(expected).encode()


def test_a_uid_that_is_none_is_replaced_too(values):
    assert made(values, Action.UID, "UI", b"Mustermann").startswith(b"2.25.")
    assert made(values, Action.UID, "LO", b"Mustermann") is None


def test_dates_move_and_what_is_none_goes(values):
    assert made(values, Action.SHIFT, "DA", b"20240305") == b"20240224"
    assert made(values, Action.SHIFT, "DA", b"Mustermann") is None
    assert made(values, Action.SHIFT, "DA", b"Mustermann", otherwise=Action.EMPTY) == b""
    assert made(values, Action.SHIFT, "DA", b"Mustermann", otherwise=Action.DUMMY) == b"19000101"
    assert made(values, Action.SHIFT, "LO", b"20240305") is None


@pytest.mark.parametrize(("vr", "good"), [("DA", b"20240305"), ("DT", b"2024030510"), ("TM", b"1011")])
def test_a_date_that_stays_is_a_date(values, vr, good):
    assert made(values, Action.KEEP, vr, good, otherwise=Action.REMOVE) == good
    assert made(values, Action.KEEP, vr, b"Mustermann", otherwise=Action.REMOVE) is None


def test_text_is_cleaned_or_goes(values):
    assert made(values, Action.CLEAN, "LO", b"Head of Mustermann") == b"Head of"
    assert made(values, Action.CLEAN, "LO", b"Mustermann") is None
    assert made(values, Action.CLEAN, "LO", b"Mustermann", otherwise=Action.DUMMY) == b"ANONYMIZED"


def test_a_cleaner_that_leaves_a_name_is_not_believed(values):
    assert made(values, Action.CLEAN, "LO", b"Head of ERIKA") is None


@pytest.mark.parametrize("vr", ["OB", "UN", "PN", "UR", "DA", "TM", "FD", "US"])
def test_what_can_not_be_cleaned_goes(values, vr):
    assert made(values, Action.CLEAN, vr, b"Mustermann") is None


@pytest.mark.parametrize(
    ("vr", "value", "after"),
    [
        ("AE", b"CT99", b"CT99"),
        ("AE", b"MUSTERMANN", None),
        ("AE", b"CT99 OF MR MUSTER", None),
        ("CS", b"COERCE", b"COERCE"),
        ("CS", b"MUSTERMANN", None),
        ("DS", b"1.5", b"1.5"),
        ("DS", b"Erika", None),
        ("AS", b"045Y", b"045Y"),
    ],
)
def test_titles_of_applications_and_codes_are_cleaned_as_a_whole(values, vr, value, after):
    assert made(values, Action.CLEAN, vr, value) == after


def test_a_document_is_cleaned_by_who_can(values):
    document = tag_of("EncapsulatedDocument")
    clean = Decision(Action.CLEAN, "", None, Action.DUMMY)
    assert values().make(clean, document, "OB", b"%PDF Mustermann") == b"\0\0"
    cleaned = values(document=lambda content: content.replace(b"Mustermann", b"")).make(
        clean, document, "OB", b"%PDF Mustermann"
    )
    assert cleaned == b"%PDF "


@pytest.mark.parametrize(
    ("vr", "replacement", "after"),
    [
        ("LO", "Project 7", b"Project 7"),
        ("DA", "20000101", b"20000101"),
        ("DA", "yesterday", None),
        ("IS", "seven", None),
        ("US", "7", None),
        ("OB", "7", None),
    ],
)
def test_a_policys_own_value_fits_or_is_not_used(values, vr, replacement, after):
    assert made(values, Action.REPLACE, vr, b"Mustermann", replacement=replacement) == after
    assert made(values, Action.REPLACE, vr, b"", replacement=replacement) == after


@pytest.mark.parametrize("action", [Action.CONTENT, Action.GRAPHICS, Action.PRIVATE, Action.REFERENCES])
def test_what_is_done_to_sequences_keeps_no_value(values, action):
    assert made(values, action, "LO", b"Mustermann") is None


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("LO", b"Scanner 7"),
        ("CS", b"HEAD\\NECK"),
        ("DS", b" 1.5\\-2e3 "),
        ("US", b"\1\0"),
        ("FD", bytes(8)),
        ("OB", b"any bytes"),
        ("UI", b"1.2.3.4\0"),
        ("PN", b"Kontrolle"),
    ],
)
def test_what_stays_stays_as_it_is(values, vr, value):
    assert made(values, Action.KEEP, vr, value) == value


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        *(("DS", b"Mustermann"), ("IS", b"12b"), ("AS", b"old"), ("CS", b"a;b"), ("UI", b"1.2.x")),
        *(("FD", b"Erika"), ("AE", b"a title that is longer than allowed"), ("DA", b"Erika")),
    ],
)
def test_what_does_not_look_like_its_kind_does_not_stay(values, vr, value):
    with pytest.raises(Refusal, match="not of the kind"):
        made(values, Action.KEEP, vr, value)
    assert made(values, Action.KEEP, vr, value, otherwise=Action.REMOVE) is None


def test_a_number_too_many_is_no_value_of_its_attribute(values):
    assert made(values, Action.KEEP, "US", b"\1\0", tag=tag_of("Rows")) == b"\1\0"
    with pytest.raises(Refusal):
        made(values, Action.KEEP, "US", b"Mustermann", tag=tag_of("Rows"))


@pytest.mark.parametrize("vr", ["LO", "SH", "PN", "LT", "UT"])
def test_a_name_in_what_stays_is_taken_out_or_takes_it_along(values, vr):
    assert made(values, Action.KEEP, vr, b"ERIKA") == b"ANONYMIZED"
    assert made(values, Action.KEEP, vr, b"ERIKA", otherwise=Action.REMOVE) is None
    mixed = made(values, Action.KEEP, vr, b"Mustermann is well")
    assert mixed == (b"is well" if vr in ("LT", "UT") else b"ANONYMIZED")


@pytest.mark.parametrize("vr", ["OB", "UN", "OW", "US"])
@pytest.mark.parametrize("form", ["ascii", "utf-16-le", "utf-16-be"])
def test_a_name_in_bytes_takes_them_along(values, vr, form):
    hidden = b"\1\2" + "; Mustermann;;".encode(form) + b"\3\4"
    assert b"usterman" not in made(values, Action.KEEP, vr, hidden)
    assert made(values, Action.KEEP, vr, hidden, otherwise=Action.REMOVE) is None


@pytest.mark.parametrize(
    ("vr", "number", "known"),
    [
        *(("IS", b"4711234", True), ("IS", b" 4711234 ", True), ("IS", b"1\\+4711234\\2", True)),
        *(("DS", b"4711234", True), ("DS", b"4711234.0", True), ("DS", b"1\\4711234", True)),
        *(("IS", b"4711235", False), ("IS", b"1\\2", False), ("DS", b"0.4711234", False)),
    ],
)
def test_a_whole_number_that_is_an_id_goes(key, vr, number, known):
    values = Values(
        key=key,
        rules=Rules(Policy(name="tried", version=1), CTImageStorage),
        patient="0" * 32,
        known=KnownValues([b"4711234"]),
        cleaner=Eraser(),
        shift_days=1,
    )
    keep, keep_or_go = (Decision(Action.KEEP, "", None, other) for other in (None, Action.REMOVE))
    tag = tag_of("SeriesNumber")
    assert values.make(keep, tag, vr, number) == (b"" if known else number)
    assert values.make(keep_or_go, tag, vr, number) == (None if known else number)


def test_a_value_of_too_many_uids_keeps_the_object_in(values):
    with pytest.raises(Refusal, match="more UIDs"):
        made(values, Action.UID, "UI", b"\\".join([b"1.2"] * 70_000))


@pytest.mark.parametrize("name", [b"Mustermann", b"M\0u\0s\0t\0e\0r\0m\0a\0n\0n\0", b"uMtsreamnn"])
def test_names_are_found_in_bytes_of_any_number(values, name):
    for around in (b"", b"\0\1" * 20, bytes(1 << 17)):
        assert made(values, Action.KEEP, "OB", around + name + around) == bytes(2)
    other = bytes(1 << 17) + b"Mastermind" + bytes(1 << 17)
    assert made(values, Action.KEEP, "OB", other) == other


def test_bytes_that_are_all_text_go_when_there_are_too_many_to_look_at(values):
    assert made(values, Action.KEEP, "OB", b"".join(b"%07d " % number for number in range(140_000))) == bytes(
        2
    )


def test_pixels_are_not_read_as_text(values):
    assert made(values, Action.KEEP, "OW", b"Mustermann", tag=0x7FE00010) == b"Mustermann"


def test_a_character_set_of_its_own_keeps_the_object_in(values):
    tag = tag_of("SpecificCharacterSet")
    assert made(values, Action.KEEP, "CS", b"ISO_IR 100", tag=tag) == b"ISO_IR 100"
    with pytest.raises(Refusal, match="another character set"):
        made(values, Action.KEEP, "CS", b"ISO_IR 192", tag=tag)


@pytest.mark.parametrize(("age", "kept"), [(b"104Y", b"090Y"), (b"089Y", b"089Y"), (b"104M", b"104M")])
def test_the_very_old_hide_among_each_other(values, age, kept):
    assert made(values, Action.KEEP, "AS", age, tag=tag_of("PatientAge")) == kept
