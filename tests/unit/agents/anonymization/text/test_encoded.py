from __future__ import annotations

import base64

import pytest

from agents.anonymization.text.encoded import escapes_read, readings
from agents.anonymization.text.known import KnownValues

NAME = "Mustermann"
KNOWN = KnownValues([NAME.encode(), "Müller".encode("latin-1")], b"ISO_IR 100")


@pytest.mark.parametrize(
    "text",
    [
        *(base64.b64encode(f"{before}{NAME}".encode()).decode() for before in ("", "a", "ab", "abc")),
        "data:" + base64.urlsafe_b64encode(f"??>{NAME}".encode()).decode().rstrip("="),
        NAME.encode().hex(),
        "a" + NAME.encode().hex(),
        NAME.encode().hex(" "),
        "%4Dusterman%6e",
        "&#77;ustermann",
        "&#x4D;ustermann",
        "=4Dustermann",
        r"\115ustermann",
        r"\x4dustermann",
        r"\u004dustermann",
        "\u041cust\u0435rm\u0430nn",
        "M&uuml;ller",
        "M%C3%BCller",
        base64.b64encode("Herr Müller".encode()).decode(),
        base64.b64encode(NAME.encode("utf-16-le")).decode(),
        base64.b64encode(base64.b64encode(NAME.encode())).decode(),
        "%254dustermann",
        "&amp;#77;ustermann",
        "&#77usterm&#97nn",
        "+AE0-ustermann",
        "+AE0AdQBzAHQAZQByAG0AYQBuAG4-",
        " ".join(f"0x{byte:02x}" for byte in NAME.encode()),
        "".join(f"U+00{byte:02X}" for byte in NAME.encode()),
        NAME.encode().hex(","),
        " ".join(str(byte) for byte in NAME.encode()),
    ],
)
def test_a_name_is_found_in_what_is_encoded(text):
    assert any(NAME in read or "Müller" in read for read in readings(text))
    charset = b"ISO_IR 192" if not text.isascii() else b""
    assert KnownValues([NAME.encode(), "Müller".encode()], charset or b"ISO_IR 192").occur_in(text.encode())


def test_utf8_that_is_not_declared_is_read():
    assert KNOWN.occur_in("von Müller".encode())
    assert KNOWN.occur_in("von Müller".encode("latin-1"))
    assert not KNOWN.occur_in("von Möller".encode())


@pytest.mark.parametrize(
    "text", ["", "HEAD", "Siemens Healthineers", "t1_mprage_sag", "1.5 mm", "für", "100%"]
)
def test_plain_texts_say_nothing_else(text):
    assert list(readings(text)) == []
    assert list(escapes_read(text)) == []


def test_texts_that_nobody_encoded_are_read_quickly_and_hold_no_name():
    text = "Kernel H30f, FoV 230mm, TE2.46 TR1900 %20 a&b =3D " * 500
    assert not KNOWN.occur_in(text.encode())
