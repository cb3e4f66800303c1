from __future__ import annotations

import struct

import pytest

from agents.anonymization.outcome import Refusal
from agents.anonymization.text.documents import check_declared, clean_document
from agents.anonymization.text.known import KnownValues

KNOWN = KnownValues([b"Mustermann^Erika", b"PID-12345"])
TRIANGLE = struct.pack("<12f", *range(12))
BINARY = b"solid Erika Mustermann".ljust(80) + struct.pack("<I", 2) + (TRIANGLE + b"ER") + (TRIANGLE + b"IK")
ASCII = b"""solid Erika
  facet normal 0 0 1
    outer loop
      vertex 0.0 -1.5e-3 0
      vertex 1 0 0
      vertex .5 1. 0
    endloop
  endfacet
endsolid Erika
"""
OBJ = b"""# by Erika
mtllib erika.mtl
o Erika
v 0 0 0
v 1.5 -2e-3 .5
v 1 1 1
vt 0.5 0.5
vn 0 0 1
g left Mustermann
usemtl bone
s off
f 1/1/1 2//1 \\
 3/1/1
g left Mustermann
l 1 2
call erika.obj
"""
MTL = b"""# Erika
newmtl bone
Ka 0.1 0.1 0.1
Kd 1 1 1
Ns 96.0
illum 2
map_Kd erika.jpg
refl -type sphere erika.png
"""


def refused(content, media_type):
    with pytest.raises(Refusal) as told:
        clean_document(content, media_type, KNOWN)
    assert told.value.reason == "encapsulated-document"


def test_a_binary_surface_loses_header_and_attributes():
    made = clean_document(BINARY, "model/stl", KNOWN)
    assert made == bytes(80) + struct.pack("<I", 2) + (TRIANGLE + b"\0\0") * 2


def test_a_surface_in_text_loses_its_name():
    made = clean_document(ASCII, "model/stl", KNOWN)
    assert b"rika" not in made
    assert made.splitlines()[0] == b"solid"
    assert made.splitlines()[3:6] == [b"vertex 0.0 -1.5e-3 0", b"vertex 1 0 0", b"vertex .5 1. 0"]
    assert made.splitlines()[-1] == b"endsolid"


def test_parts_are_numbered_and_materials_keep_their_names():
    made = clean_document(OBJ, "model/obj", KNOWN)
    assert made.decode().splitlines() == [
        *(
            "o part-1",
            "v 0 0 0",
            "v 1.5 -2e-3 .5",
            "v 1 1 1",
            "vt 0.5 0.5",
            "vn 0 0 1",
            "g part-2",
            "usemtl bone",
        ),
        *("s off", "f 1/1/1 2//1 3/1/1", "g part-2", "l 1 2"),
    ]
    assert clean_document(MTL, "model/mtl", KNOWN).decode().splitlines() == [
        *("newmtl bone", "Ka 0.1 0.1 0.1", "Kd 1 1 1", "Ns 96.0", "illum 2"),
    ]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (BINARY + b"Erika", "model/stl"),
        (BINARY[:-1], "model/stl"),
        (b"", "model/stl"),
        (ASCII.replace(b"vertex 1 0 0", b"vertex 1 0 Erika"), "model/stl"),
        (ASCII.replace(b"vertex 1 0 0", b"Erika"), "model/stl"),
        (b"v 0 0 Erika\n", "model/obj"),
        (b"f 1 2 12x\n", "model/obj"),
        (b"v 0 0 0\nusemtl Mustermann\n", "model/obj"),
        (b"v 0 0 0\nusemtl PID_12345\n", "model/obj"),
        (b"newmtl Erika\n", "model/mtl"),
        (b"newmtl two words\n", "model/mtl"),
        (b"# nothing\n", "model/obj"),
        (b"v " + b"0 " * 50_000, "model/obj"),
    ],
)
def test_what_is_no_geometry_stays_in(content, media_type):
    refused(content, media_type)


@pytest.mark.parametrize(
    ("burned_in", "recognizable", "comes_out"),
    [("NO", "NO", True), ("NO", "YES", False), ("NO", "", False), ("", "NO", False), ("YES", "NO", False)],
)
def test_a_surface_has_to_say_that_it_shows_neither_face_nor_text(burned_in, recognizable, comes_out):
    said = {0x00280301: burned_in, 0x00280302: recognizable}
    check_declared("application/pdf", lambda _: "")
    if comes_out:
        check_declared("model/stl", said.__getitem__)
    else:
        with pytest.raises(Refusal) as told:
            check_declared("model/stl", said.__getitem__)
        assert told.value.reason == "recognizable-features"
