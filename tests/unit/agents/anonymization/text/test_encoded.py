from __future__ import annotations

import base64

import pytest
from pydicom.datadict import DicomDictionary
from pydicom.sr._concepts_dict import concepts

from agents.anonymization.text.cleaning import Cleaner
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


def swapped(text: str) -> str:
    """Give what bytes say when those of each two stand in the other order."""
    return "".join(text[at : at + 2][::-1] for at in range(0, len(text), 2))


@pytest.mark.parametrize(
    "text",
    [
        NAME[::-1],
        f"scan of {NAME.upper()}, 2nd"[::-1],
        "relleum",
        "rebuH",
        swapped(NAME),
        swapped(f"{NAME}^Erika"),
        swapped(f"x{NAME}y"),
        "2100-DIP",
        "7114002",
    ],
)
def test_what_is_written_backwards_or_with_bytes_swapped_is_found(text):
    values = (NAME, "Mueller", "Huber", "PID-0012", "2004117")
    known = KnownValues([value.encode() for value in values])
    assert known.occur_in(text.encode())
    assert known.disguised(text)
    assert Cleaner(known).clean(f"see {text}".encode(), "LO") in (None, b"see [removed]")


@pytest.mark.parametrize(
    "text",
    [
        "skin retraction of breast",  # Carter
        "decreased tolerance",  # Lorena
        "renal",  # Laner, and a word
        "0000001",
        "ella",  # Alle is too short
    ],
)
def test_what_is_part_of_other_words_by_chance_is_no_name_backwards(text):
    known = KnownValues([b"Carter^Lorena", b"Laner", b"1000000", b"Alle"])
    assert not known.disguised(text)


def test_names_backwards_are_no_words_of_medicine():
    """Of common names none, in everything that pydicom knows of DICOM's attributes and codes."""
    known = KnownValues([name.encode() for name in COMMON.split()])
    meanings = {
        meaning for scheme in concepts.values() for code in scheme.values() for meaning, _ in code.values()
    }
    texts = [*meanings, *(entry[2] for entry in DicomDictionary.values())]
    assert len(texts) > 5000
    assert [text for text in texts if known.disguised(text)] == []


COMMON = """
Schneider Fischer Wagner Becker Hoffmann Schaefer Richter Schroeder Neumann Schwarz Zimmermann Krueger
Hartmann Schmitt Krause Meyer Lehmann Johnson Williams Garcia Miller Martinez Hernandez Gonzalez Anderson
Thomas Taylor Jackson Martin Thompson Harris Sanchez Ramirez Robinson Walker Nelson Carter Mitchell
Roberts Turner Phillips Parker Edwards Collins Stewart Morris Murphy Rogers Cooper Peterson Howard Watson
Brooks Bennett Mendoza Hughes Castillo Sanders Myers Foster Jimenez Ferreira Santos Oliveira Pereira
Rossi Ferrari Esposito Bianchi Romano Colombo Bernard Dubois Durand Leroy Moreau Laurent Simon Lefebvre
Jensen Nielsen Hansen Larsen Ivanov Smirnov Kowalski Nowak Yamamoto Tanaka Watanabe Nakamura Nguyen
Elizabeth Jennifer Michael Daniel Joseph Stefan Monika Sabine Claudia Alexander Christian Martina
Gabriele Marina Serena Renate Milena Damian Adrian Nadine Lorena
"""
