# ruff: noqa: RUF001 - names in other scripts

from __future__ import annotations

import warnings

import pytest

from agents.anonymization.text.charset import charset_of
from agents.anonymization.text.cleaning import Cleaner
from agents.anonymization.text.known import KnownValues

# DICOM PS3.5, Annexes H, I, J and K, and sets that one value names alone
SAMPLES = [
    (b"", b"Plain", "Plain"),
    (b"", "Schädel".encode(), "Schädel"),
    (b"", "Schädel".encode("latin-1"), "Schädel"),
    (b"ISO_IR 100", b"Sch\xe4del", "Schädel"),
    (b"ISO_IR 101", "Wałęsa".encode("iso8859_2"), "Wałęsa"),
    (b"ISO_IR 144", "Люкceмбypг".encode("iso8859_5"), "Люкceмбypг"),
    (b"ISO_IR 126", "Διονυσιος".encode("iso8859_7"), "Διονυσιος"),
    (b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
    (b"ISO_IR 192", "王^小東".encode(), "王^小東"),
    (b"GB18030", "王^小东".encode("gb18030"), "王^小东"),
    (b"GBK", "王^小东".encode("gbk"), "王^小东"),
    (
        b"\\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    (
        b"ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
    ),
    (
        b"\\ISO 2022 IR 149",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    (b"\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab", "Zhang=张^小东"),
    (b"ISO 2022 IR 100\\ISO 2022 IR 126", b"M\xfcller \x1b-F\xc4\xe9\xef", "Müller Διο"),
    (b"\\ISO 2022 IR 159", b"\x1b$(Dl?\x1b(B", "鷗"),
]


@pytest.mark.parametrize(("charset", "value", "text"), SAMPLES)
def test_text_is_read(charset, value, text):
    assert charset_of(charset).decode(value) == text


@pytest.mark.parametrize(("charset", "value", "text"), SAMPLES)
def test_text_that_is_written_is_read_back(charset, value, text):
    encoded = charset_of(charset).encode(text + " ok", like=value)
    assert charset_of(charset).decode(encoded) == text + " ok"


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        (b"ISO_IR 192", b"M\xfcller"),
        (b"ISO_IR 100", b"\x1b$B;3ED\x1b(B"),
        (b"", b"\x1b$B;3ED\x1b(B"),
        (b"", b"\x1b(BErika"),
        (b"\\ISO 2022 IR 87", b"\x1b$)C\xc8\xab"),
        (b"\\ISO 2022 IR 87", b"\x1b$B;3E"),
        (b"\\ISO 2022 IR 87", b"\x1b$B\x80\x80\x1b(B"),
        (b"\\ISO 2022 IR 149", b"\x1b$)C\xc8"),
        (b"\\ISO 2022 IR 149", b"\x1b"),
        (b"\\ISO 2022 IR 149", b"\x1b!Z abc"),
        (b"GB18030", b"\x81"),
        (b"Mustermann", b"\xe4"),
    ],
)
def test_what_is_not_text_of_the_set_is_none(charset, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert charset_of(charset).decode(value) is None
        assert Cleaner(KnownValues(), charset).clean(value, "LT") is None


def test_what_a_set_cannot_write_is_none():
    assert charset_of(b"ISO_IR 100").encode("山", like=b"") is None
    assert charset_of(b"\\ISO 2022 IR 87").encode("홍", like=b"") is None
    # the yen sign is written as the byte that parts values
    assert charset_of(b"ISO_IR 13").encode("5 ¥", like=b"") is None


@pytest.mark.parametrize(
    ("charset", "value", "left"),
    [
        (
            b"\\ISO 2022 IR 87",
            "頭部 ".encode("iso2022_jp") + "山田太郎".encode("iso2022_jp") + b" CT",
            "頭部 ".encode("iso2022_jp") + b"[removed] CT",
        ),
        (
            b"\\ISO 2022 IR 149",
            b"Brain \x1b$)C" + "홍길동".encode("euc_kr") + b"\\\x1b$)C" + "머리".encode("euc_kr"),
            b"Brain [removed]\\\x1b$)C" + "머리".encode("euc_kr"),
        ),
        (b"GB18030", "胸部 王小东".encode("gb18030"), "胸部 [removed]".encode("gb18030")),
        (b"ISO_IR 13", b"CT \xd4\xcf\xc0\xde", b"CT [removed]"),
    ],
)
def test_cleaning_breaks_no_escape(charset, value, left):
    names = ["Yamada^Tarou=山田^太郎=やまだ^たろう", "Hong^Gildong=洪^吉洞=홍^길동", "Wang^XiaoDong=王^小东"]
    known = KnownValues([name.encode() for name in names], b"ISO_IR 192")
    assert Cleaner(known, charset).clean(value, "LO") == left


def test_a_second_byte_that_looks_like_a_backslash_parts_nothing():
    # 表 is 0x955C in Shift JIS and 0x815C is U+2015
    value = "図表 Yamada".encode("shift_jis")
    assert b"\\" in value
    left = Cleaner(KnownValues([b"Yamada^Tarou"]), b"ISO_IR 13").clean(value, "LO")
    assert left == "図表 [removed]".encode("shift_jis")
