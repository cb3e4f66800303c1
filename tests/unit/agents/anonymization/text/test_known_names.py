# ruff: noqa: RUF001 - names in other scripts

from __future__ import annotations

import pytest

from agents.anonymization.text.folding import plain, visible
from agents.anonymization.text.known import KnownValues
from tests.unit.agents.anonymization.text.known_values import CHARSET, NAME, NAME_TO_USE, found, known


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Mustermann^Erika", "mustermann"),
        ("Mustermann^Erika", "MUSTERMANN"),
        ("Mustermann^Erika", "E. Mustermann"),
        ("Mustermann^Erika", "Mustermann, E"),
        ("Mustermann^Erika", "Erika Mustermann"),
        ("Mustermann^Erika", "Mustermann_Erika"),
        ("Mustermann^Erika", "mustermannerika"),
        ("Mustermann^Erika", "emustermann"),
        ("Mustermann^Erika", "Mustermanns"),
        ("Mustermann^Erika", "ctmustermannhead"),
        ("Mustermann^Erika", "M u s t e r m a n n"),
        ("Mustermann^Erika", "Mus\u200bter\u00admann"),
        ("Mustermann^Erika", "ＭＵＳＴＥＲＭＡＮＮ"),
        ("Mustermann^Erika Maria", "E.M. Mustermann"),
        ("Mustermann^Erika Maria", "E. Mustermann"),
        ("Mustermann^Erika Maria", "Mustermann EM"),
        ("Erika Mustermann", "Mustermann E"),
        ("Mustermann, Erika", "E Mustermann"),
        ("Müller^Jürgen", "MUELLER"),
        ("Müller^Jürgen", "Muller"),
        ("Müller^Jürgen", "Mu\u0308ller"),
        ("Mueller^Juergen", "Müller"),
        ("Muller^Jurgen", "MÜLLER"),
        ("Weiß^Dora", "WEISS"),
        ("Weiss^Dora", "Weiß"),
        ("Ødegård^Åse", "Oedegard"),
        ("Dvořák^Antonín", "DVORAK"),
        ("Łukasz^Kowalski", "Lukasz"),
        ("O'Brien^Ann", "OBRIEN"),
        ("O'Brien^Ann", "O Brien"),
        ("O'Brien^Ann", "O’Brien"),
        ("van der Meer^Jan", "vandermeer"),
        ("van der Meer^Jan", "Meer"),
        ("Smith-Jones^Amy", "Jones"),
        ("Smith-Jones^Amy", "smithjones"),
        ("Li^Wei", "Li Wei"),
        ("Li^Wei", "li"),
        ("Ng^Al", "NG"),
        ("Diallo^Aminata=  ^=", "AMINATA"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田太郎様"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "太郎"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ヤマダ"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ﾔﾏﾀﾞ"),
        ("Wang^XiaoDong=王^小东", "王小东"),
        ("Wang^XiaoDong=王^小东", "xiaodong"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동의"),
        ("Διονυσιος", "ΔΙΟΝΥΣΙΟΣ"),
        ("Люкceмбypг", "люкceмбypг"),
        ("قباني^لنزار", "قَبّاني"),
        ("שרון^דבורה", "שרון"),
    ],
)
def test_names_are_found_in_any_spelling(name, text):
    values = known(name=name)
    whole = plain(visible(text))
    for around in ("{}", "CT {} head", "({})", "CT_{}_1", "x/{}.", "\n{}\r\n"):
        assert found(values, around.format(text)) == whole
        assert values.occur_in(around.format(text).encode())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Mustermann^Erika", "Muster mit Mann"),
        ("Mustermann^Erika", "E M"),
        ("Mustermann^Erika", "Muster  /  Mann"),
        ("Stern^Anna", "Sternum"),
        ("Li^Wei", "Liver"),
        ("Li^Wei", "LINAC"),
        ("Doe^John", "Does"),
        ("Ray^Ann", "X-RAY"),
        ("Ches^T", "CHEST"),
        ("Kid^Ney", "kidney"),
        ("Meer^Jan^^Dr.^MD", "Dr. MD"),
        ("van der Meer^Jan", "van der"),
        ("Anonymous^Patient", "Patient anonymous"),
        ("Tech^CT", "CT tech"),
        ("^^^^", "^^^^"),
        ("", "anything"),
    ],
)
def test_other_words_are_not(name, text):
    assert found(known(name=name), text) is None
    assert not known(name=name).occur_in(text.encode())


def test_a_short_name_inside_of_a_word_is_none_in_a_code():
    values = known(name="Mustermann^Erika")
    assert found(values, "Erikasson") == "Erikasson"
    assert not values.occur_in(b"Erikasson")


def test_a_name_that_is_an_ordinary_word_is_none_in_a_code():
    values = known(name="Head^Erika")
    assert found(values, "HEAD") == "HEAD"
    assert not values.occur_in(b"HEAD")
    assert values.occur_in(b"HEAD ERIKA")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "M?ller",
            "M\ufffdller",
            "M_ller",
            "M}ller",
            "Mller",
            "\u004d\u00c3\u00bcller",
            "Entenst?dt",
        ),
    ],
)
def test_names_are_found_that_lost_their_umlauts_on_the_way(text):
    values = known(name="Müller^Jürgen", institution="Klinik Entenstädt")
    assert found(values, text) or values.occur_in(text.encode())
    assert values.occur_in(f"CT of {text}, head".encode())


@pytest.mark.parametrize(("name", "text"), [("Óscar^Zoë", "scar"), ("Müller^Ö", "Miller"), ("Löh^T", "L?h")])
def test_what_is_left_of_a_name_is_long_enough_to_tell(name, text):
    assert not known(name=name).occur_in(text.encode())


@pytest.mark.parametrize("charset", ["cp850", "mac_roman", "cp1252", "utf-16", "utf-16-be"])
def test_names_are_found_in_a_character_set_that_nobody_declares(charset):
    values = KnownValues.of_dataset({CHARSET: b"ISO_IR 100", NAME: "Strauß^Jörg".encode("latin-1")})
    assert values.occur_in("for Strauß".encode(charset))
    assert not values.occur_in("for Strouß".encode(charset))
    assert not values.occur_in("for Jürg".encode("latin-1"))


@pytest.mark.parametrize("charset", ["shift_jis", "euc_jp", "utf-8"])
def test_japanese_names_are_found_in_a_character_set_that_nobody_declares(charset):
    name = b"Yamada^Tarou=" + "山田^太郎".encode("iso2022_jp")
    values = KnownValues.of_dataset({CHARSET: b"\\ISO 2022 IR 87", NAME: name})
    assert values.occur_in("CT 山田".encode(charset))
    assert not values.occur_in("CT 頭部".encode(charset))


def test_a_name_is_found_that_is_garbled_where_it_is_given():
    garbled = "Müller^Jürgen".encode().decode("latin-1")
    assert known(name=garbled).occur_in("CT of Müller".encode())


def test_the_name_that_a_person_goes_by_is_found():
    values = KnownValues.of_dataset({NAME: b"Mustermann^Erika", NAME_TO_USE: b"Severin"})
    assert values.occur_in(b"CT of Severin")


@pytest.mark.parametrize("text", ["a \u0301 Ng", "\u0300", "x \u0345\u0301 y"])
def test_marks_without_a_letter_are_no_words(text):
    values = known(name="Ng^Al")
    assert bool(found(values, text)) is ("Ng" in text)
    assert values.occur_in(text.encode()) is ("Ng" in text)
