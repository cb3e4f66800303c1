# ruff: noqa: RUF001 - names in other scripts

"""A planted value never survives, however it is spelt; text without any stays as it is."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from agents.anonymization.text.charset import charset_of
from agents.anonymization.text.cleaning import Cleaner
from agents.anonymization.text.folding import plain, visible
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.ordinary import NOBODY, ORDINARY, TITLES

UTF8 = b"ISO_IR 192"
NAME, ID, BIRTH, CHARSET = 0x00100010, 0x00100020, 0x00100030, 0x00080005
HARMLESS = (Path(__file__).parent / "harmless.txt").read_text(encoding="utf-8").splitlines()
AROUND = "{}", "CT {} axial", "({})", "axial_{}_5 mm", "CHEST;{};\n", "ct/{}/x"

letters = st.sampled_from("abcdefghijklmnopqrstuvwxyzäöüßéèçñøłčšžåæğ")
names = st.text(letters, min_size=4, max_size=10)


def bare(text):
    """Letters alone, folded by rules of its own; without e, which an umlaut may bring."""
    text = text.casefold().translate(str.maketrans({"ø": "o", "ł": "l", "æ": "a"}))
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if one.isalpha()).replace("e", "")


def umlauts(text):
    return text.translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "æ": "ae"}))


SPELLINGS = {
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "apart": lambda text: unicodedata.normalize("NFD", text),
    "umlauts": umlauts,
    "wide": lambda text: "".join(chr(ord(one) + 0xFEE0) if one in "abcxyz" else one for one in text),
    "spaced": " ".join,
    "dotted": ".".join,
    "hidden": "\u200b".join,
    "soft": "\u00ad".join,
}
ORDERS = (
    *("{0}", "{1} {0}", "{0}, {1}", "{0}^{1}", "{1}_{0}", "{0}-{1}", "{1}.{0}", "{0}{1}", "{1}{0}"),
    *("{2}. {0}", "{0} {2}", "{2}{0}", "{0}{2}", "{0} {2}."),
)


def is_a_name(text):
    folded = bare(text)
    plain_ascii = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return len(folded) > 3 and not {plain_ascii, umlauts(text), text} & (ORDINARY | NOBODY | TITLES)


@settings(deadline=None)
@given(names, names, st.sampled_from(sorted(SPELLINGS)), st.sampled_from(ORDERS), st.sampled_from(AROUND))
@example("müller", "jürgen", "umlauts", "{1} {0}", "CT {} axial")
def test_no_name_survives(family, given_name, spelling, order, around):
    assume(is_a_name(family) and is_a_name(given_name) and given_name[0] not in "ßæ")
    # letter by letter and run together: no piece begins where the second name does
    assume(spelling not in ("spaced", "dotted") or order not in ("{0}{1}", "{1}{0}", "{2}{0}", "{0}{2}"))
    spelt = SPELLINGS[spelling]
    text = around.format(order.format(spelt(family), spelt(given_name), given_name[0]))
    assume(bare(family) not in bare(around))
    assume(bare(given_name) not in bare(around))
    top = {CHARSET: UTF8, NAME: f"{family.title()}^{given_name.title()}".encode()}
    known = KnownValues.of_dataset(top)
    left = Cleaner(known, UTF8).clean(text.encode(), "LT")
    shown = "" if left is None else bare(left.decode().replace("[removed]", "|"))
    assert bare(family) not in shown
    assert "{1}" not in order or bare(given_name) not in shown
    assert known.occur_in(text.encode())


@settings(deadline=None)
@given(st.integers(100_000, 10**10), st.integers(0, 4), st.text("-./ _", max_size=9), st.sampled_from(AROUND))
def test_no_id_survives(number, zeros, separators, around):
    digits = "0" * zeros + str(number)
    parts = list(digits)
    for at, separator in enumerate(separators, 1):
        if at < len(digits):
            parts[at] = separator + parts[at]
    text = around.format("".join(parts))
    for identifier in (str(number), "000" + str(number), digits):
        known = KnownValues.of_dataset({ID: identifier.encode()})
        left = Cleaner(known).clean(text.encode(), "LT") or b""
        assert str(number) not in "".join(one for one in left.decode() if one.isdecimal())
        assert known.occur_in(text.encode())


MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
FORMS = (
    *("{y}{m:02}{d:02}", "{y}-{m:02}-{d:02}", "{y}/{m}/{d}", "{y}.{m:02}.{d:02}", "{d:02}.{m:02}.{y}"),
    *("{d}.{m}.{y}", "{m:02}/{d:02}/{y}", "{m}/{d}/{y}", "{d:02}-{m:02}-{y}", "{d:02}.{m:02}.{s:02}"),
    *("{m}/{d}/{s:02}", "{d:02}{m:02}{y}", "{y}{m:02}{d:02}121500", "{d} {b} {y}", "{d}. {b} {y}"),
    *("{b} {d}, {y}", "{d}-{b}-{y}", "{d} de {b} de {y}", "{y} {b} {d}", "{b} {d} {y}", "{d:02}{b}{y}"),
)


@settings(deadline=None)
@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2035, 12, 31)),
    st.sampled_from(FORMS),
    st.sampled_from(sorted(MONTHS)),
    st.sampled_from(AROUND),
    st.booleans(),
)
def test_no_day_survives(day, form, language, around, upper):
    month = MONTHS[language].split()[day.month - 1]
    spelt = form.format(y=day.year, s=day.year % 100, m=day.month, d=day.day, b=month)
    text = around.format(spelt.upper() if upper else spelt)
    known = KnownValues.of_dataset({BIRTH: day.strftime("%Y%m%d").encode()})
    left = Cleaner(known, UTF8, shift_days=0).clean(text.encode(), "LT") or b""
    assert month.lower() not in left.decode().lower() or month.lower() in around.lower()
    assert str(day.year) not in left.decode()
    assert f"{day.day}" not in left.decode().replace("5 mm", "")
    assert known.occur_in(text.encode())


@settings(deadline=None)
@given(st.lists(st.sampled_from(HARMLESS), min_size=1, max_size=5))
def test_text_without_any_stays(lines):
    known = KnownValues.of_dataset(
        {CHARSET: UTF8, NAME: b"Mustermann^Erika", ID: b"PID-98765", BIRTH: b"19700131"}
    )
    text = "\r\n".join(lines).encode()
    assert Cleaner(known, UTF8).clean(text, "UT") is text
    assert not known.occur_in(text)


SETS = b"", b"ISO_IR 100", UTF8, b"GB18030", b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 149", b"ISO_IR 13", b"x"


@settings(deadline=None)
@given(st.binary(max_size=80), st.sampled_from(SETS), st.sampled_from(["LO", "SH", "CS", "LT", "UT", "UR"]))
@example(b"\x1b$)C\xb1\xe8\x1b", SETS[5], "LO")
@example(b"Dr. Mustermann &#77;", b"", "SH")
def test_whatever_comes_what_leaves_is_text_and_final(value, charset, vr):
    known = KnownValues.of_dataset({NAME: b"Mustermann^Erika", ID: b"4711471"})
    cleaner = Cleaner(known, charset)
    left = cleaner.clean(value, vr)
    if left is None:
        return
    assert charset_of(charset).decode(left.rstrip(b"\0 ")) is not None
    assert cleaner.clean(left, vr) == left


@settings(deadline=None)
@given(
    st.text(st.sampled_from("musteranikö 0147-_.,^\u200bＭ١山"), max_size=40),
    st.sampled_from(["Muster^Anik", "Mü^Erna", "Kant^Sam Eric", "Amt^S=山^山"]),
)
def test_the_quick_look_misses_nothing(text, name):
    known = KnownValues.of_dataset({CHARSET: UTF8, NAME: name.encode(), ID: b"0147-14"})
    if any(True for _ in known.spans(plain(visible(text)))):
        assert known.occur_in(text.encode())
