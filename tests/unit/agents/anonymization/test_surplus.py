"""Pixel Data comes out with its image, every value of it, and with nothing else."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine, Refusal
from agents.anonymization.surplus import jp2, jpeg, jpeg_2000
from agents.anonymization.surplus.bits import without_unused
from agents.anonymization.surplus.image import Image
from agents.anonymization.surplus.removing import image_alone
from tests.canaries.all_traps import TRAPS
from tests.canaries.checks import KEY, anonymized, policy_with
from tests.canaries.classes import IMAGES
from tests.canaries.drawn import background, shown
from tests.canaries.person import make_person
from tests.canaries.traps import setting
from tests.canaries.words import Words
from tests.canaries.writing import COMPRESSED, ENCODERS, compressed, frames_of, written


def pixels_of(content: bytes) -> bytes:
    return pydicom.dcmread(BytesIO(content)).PixelData


def decoded(content: bytes) -> np.ndarray:
    return pydicom.dcmread(BytesIO(content)).pixel_array


def small(frames: int = 1):
    """Give a CT of 64 by 64 pixels of eight bits."""
    made = setting()
    shown(made.data, background(3, frames)[:, :64, :64])
    made.data.Rows = made.data.Columns = 64
    return made.data


def encapsulated(data, value: bytes, syntax: str) -> bytes:
    data.PixelData = value
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    return written(data, syntax)


def outcome(content: bytes) -> str:
    result = anonymize(content, key=KEY, policy=policy_with())
    return result.reason if isinstance(result, Quarantine) else "out"


@pytest.mark.parametrize("name", [name for name in TRAPS if name.startswith("fragments: ")])
def test_what_is_taken_out_of_fragments_is_no_part_of_the_image(name):
    content = TRAPS[name]().content
    result = anonymize(content, key=KEY, policy=policy_with())
    if isinstance(result, Quarantine):
        assert result.reason == "compressed-pixels"
    else:
        assert np.array_equal(decoded(result.content), decoded(content))
        assert len(pixels_of(result.content)) == len(pixels_of(content))


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("frames", [1, 3])
def test_images_without_anything_else_are_left_alone(syntax, frames):
    content = written(compressed(small(frames), syntax), syntax)
    assert pixels_of(anonymized(content).content) == pixels_of(content)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (b"", "out"),
        (b"MUSTER^E", "out"),
        (b"MUSTER", "compressed-pixels"),
        (b"MUSTER^ERIKA", "compressed-pixels"),
    ],
)
@pytest.mark.parametrize("syntax", ["jpeg", "rle"])
def test_an_offset_table_says_where_the_frames_are(syntax, table, expected):
    data = small(2)
    frames = [ENCODERS[syntax](frame, 8, signed=False) for frame in frames_of(data)]
    right = encapsulate(frames, has_bot=True)
    without = encapsulate(frames, has_bot=False)
    given = without[:4] + struct.pack("<L", len(table)) + table + without[8:]
    content = encapsulated(data, given, syntax)
    assert outcome(content) == expected
    if expected == "out":
        assert pixels_of(anonymized(content).content) == (right if table else without)


@pytest.mark.parametrize("starts", [[0], [1], [0, 1], [0, 2], [0, 1, 2]])
def test_frames_of_several_fragments_are_told_apart_by_the_offset_table(starts):
    data = small(2)
    first, second = (ENCODERS["jpeg"](frame, 8, signed=False) for frame in frames_of(data))
    parts = [part + b"\0" * (len(part) % 2) for part in (first[:100], first[100:], second)]
    items = [struct.pack("<HHL", 0xFFFE, 0xE000, len(part)) + part for part in parts]
    offsets = [sum(map(len, items[:number])) for number in starts]
    table = struct.pack(f"<HHL{len(offsets)}L", 0xFFFE, 0xE000, 4 * len(offsets), *offsets)
    assert outcome(encapsulated(data, table + b"".join(items), "jpeg")) == (
        "out" if starts == [0, 2] else "compressed-pixels"
    )


def test_without_a_table_frames_begin_where_images_do():
    data = small(2)
    first, second = (ENCODERS["jpeg"](frame, 8, signed=False) for frame in frames_of(data))
    right = encapsulate([first[:100], first[100:], second], has_bot=False)
    assert outcome(encapsulated(data, right, "jpeg")) == "out"
    wrong = encapsulate([first[:100], first[100:], second, second], has_bot=False)
    assert outcome(encapsulated(data, wrong, "jpeg")) == "compressed-pixels"
    assert outcome(encapsulated(data, encapsulate([first], has_bot=False), "jpeg")) == "compressed-pixels"


@pytest.mark.parametrize("change", [(), (0, 0), (1, 0), (1, 1), (2, 0)], ids=str)
def test_an_extended_offset_table_is_true_or_the_object_stays_in(change):
    data = small(2)
    frames = [ENCODERS["jpeg-ls"](frame, 8, signed=False) for frame in frames_of(data)]
    value, *tables = encapsulate_extended(frames)
    tables = [
        bytearray(table) for table in (*tables, struct.pack("<Q", sum(len(f) + len(f) % 2 for f in frames)))
    ]
    if change:
        tables[change[0]][change[1] * 8] ^= 4
    for number, table in enumerate(tables):
        data.add_new(0x7FE00001 + number, "OV" if number < 2 else "UV", bytes(table))
    data[0x7FE00003].value = struct.unpack("<Q", tables[2])[0]
    assert outcome(encapsulated(data, value, "jpeg-ls")) == ("compressed-pixels" if change else "out")


def test_native_pixels_have_no_offset_table():
    data = small()
    data.add_new(0x7FE00001, "OV", b"MUSTERMA")
    assert outcome(written(data)) == "compressed-pixels"


KEPT = b"JFIF\0\1\2\0\0\1\0\1\0\0", b"Adobe\0\x64\0\0\0\0\0", b"mrfx\1"


@pytest.mark.parametrize("kept", KEPT)
def test_application_data_that_decoders_act_on_stays_and_none_like_it(kept):
    def segment(content: bytes) -> bytes:
        return b"\xff\xe0" + struct.pack(">H", len(content) + 2) + content

    for content, stays in ((kept, True), (kept + b"MUSTER", False), (b"X" + kept[1:], False)):
        image = jpeg.START + segment(content) + b"\xff\xd9"
        assert [image[begin:end] for begin, end in jpeg.beside(image)] == ([b""] if stays else [content, b""])


@pytest.mark.parametrize(
    ("comment", "stays"),
    [
        (b"Kakadu-v7.3.3", True),
        (b"Created by GDCM/OpenJPEG version 2.0", True),
        (b"Creator: JasPer Version 1.701.0", True),
        (b"Kakadu-v7.3.3 Mustermann", False),
        (b"Kakadu-12345678", False),
    ],
)
def test_of_comments_the_versions_of_encoders_stay(comment, stays):
    said = b"\xff\x64" + struct.pack(">HH", len(comment) + 4, 1) + comment
    image = jpeg_2000.START + b"\0\4xx" + said + b"\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93data\xff\xd9"
    left = [image[begin:end] for begin, end in jpeg_2000.beside(image)]
    assert left == ([b""] if stays else [comment, b""])


def test_comments_of_encoders_stay():
    data = small()
    content = written(compressed(data, "jpeg-2000"), "jpeg-2000")
    assert b"Created by OpenJPEG version 2" in pixels_of(anonymized(content).content)


@pytest.mark.parametrize("syntax", ["jpeg", "jpeg-ls", "jpeg-2000"])
def test_a_name_between_what_decodes_keeps_the_object_in(syntax):
    made = setting()
    image = ENCODERS[syntax](frames_of(small())[0], 8, signed=False)
    hidden = image[:-2] + made.person.family.encode() + image[-2:]
    if syntax == "jpeg-2000":
        at = image.index(b"\xff\x90\0\x0a") + 6
        length = int.from_bytes(image[at : at + 4]) + len(made.person.family)
        hidden = hidden[:at] + length.to_bytes(4) + hidden[at + 4 :]
    assert outcome(encapsulated(small(), encapsulate([hidden], has_bot=False), syntax)) == "pixel-comment"


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_images_that_end_too_early_stay_in(syntax):
    image = ENCODERS[syntax](frames_of(small())[0], 8, signed=False)
    cut = encapsulate([image[: len(image) // 2]], has_bot=False)
    assert outcome(encapsulated(small(), cut, syntax)) == "compressed-pixels"


IMAGE = Image("", True, 1, 1, 1, 4, 16, 12, 11, signed=False, padding=None)


@pytest.mark.parametrize(
    ("values", "image", "expected"),
    [
        ([1, 0xFFF, 0], IMAGE, None),
        ([0x1001, 0xFFFF, 0x8000], IMAGE, [1, 0xFFF, 0]),
        ([0xF801, 0x0801, 0x07FF], IMAGE._replace(signed=True), [0xF801, 0xF801, 0x07FF]),
        ([0xF801, 0xFFFF, 0x07FF], IMAGE._replace(signed=True), None),
        ([0x1001], IMAGE._replace(signed=True), [0x0001]),
        ([0x1230, 0x1235], IMAGE._replace(high_bit=15), [0x1230, 0x1230]),
        ([0xFFFF], IMAGE._replace(bits_stored=16, high_bit=15), None),
        ([0xFFFF], IMAGE._replace(bits_stored=None), None),
        ([0xFFFF], IMAGE._replace(high_bit=None), [0xFFF]),
        ([0x8000], IMAGE._replace(padding=0x8000), Refusal),
        ([0x8001], IMAGE._replace(padding=0x8000), [1]),
        ([1], IMAGE._replace(high_bit=16), Refusal),
        ([1], IMAGE._replace(bits_stored=0), Refusal),
        ([1], IMAGE._replace(bits_stored=17), Refusal),
    ],
)
@pytest.mark.parametrize("little", [True, False])
def test_bits_that_belong_to_no_value_are_emptied(values, image, expected, little):
    order = "<" if little else ">"

    def made() -> bytes | None:
        pixels = struct.pack(f"{order}{len(values)}H", *values)
        return without_unused(memoryview(pixels), image._replace(little=little))

    if expected is Refusal:
        with pytest.raises(Refusal):
            made()
    else:
        assert made() == (expected and struct.pack(f"{order}{len(expected)}H", *expected))


def test_unused_bits_of_bytes_are_emptied():
    image = IMAGE._replace(bits_allocated=8, bits_stored=5, high_bit=4)
    assert image_alone(memoryview(b"\xff\x1f"), image, encapsulated=False) == b"\x1f\x1f"


def test_the_values_of_a_mended_object_are_those_of_the_original():
    words = Words(1)
    data = IMAGES["ct"](words, make_person(words))
    shown(data, background(5), bits=16)
    clean = frames_of(data).copy()
    data.PixelData = (clean | 0x5000).astype("<u2").tobytes()
    result = anonymize(written(data), key=KEY, policy=policy_with())
    assert isinstance(result, Anonymized)
    assert pixels_of(result.content) == clean.tobytes()


def boxed(codestream: bytes, *header: bytes, behind: bytes = b"") -> bytes:
    """Put a codestream into a JP2 file."""
    boxes = [
        jp2.START[4:],
        b"ftypjp2 \0\0\0\0jp2 ",
        b"xml <name>Mustermann</name>",
        b"jp2h" + b"".join(map(box, header)),
        b"jp2c" + codestream,
    ]
    return b"".join(map(box, boxes)) + behind


def codestreams(frames: int) -> list[bytes]:
    value = compressed(small(frames), "jpeg-2000").PixelData
    return [*generate_frames(value, number_of_frames=frames)]


def box(content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 4) + content


SIZE = b"ihdr" + struct.pack(">IIHBBBB", 64, 64, 1, 7, 7, 0, 0)
GREY, SYCC = (b"colr\1\0\0" + struct.pack(">I", space) for space in (17, 18))
PROFILE = b"colr\3\2\1" + bytes(16) + b"GRAY" + b"copyright Mustermann"
LAB = PROFILE.replace(b"GRAY", b"Lab ")
CHANNELS = b"cdef\0\1\0\0\0\0\0\1"


@pytest.mark.parametrize("header", [(SIZE, GREY), (SIZE, PROFILE, b"res Mustermann")])
def test_of_a_jp2_file_its_codestream_stays(header):
    """In the place that the file had, so that offsets stay true; no box names anybody any more."""
    data = small(3)
    images = codestreams(3)
    content = encapsulated(data, encapsulate([boxed(image, *header) for image in images]), "jpeg-2000")
    result = anonymized(content)
    assert b"Muster" in content
    assert b"Muster" not in result.content
    alone = generate_frames(pixels_of(result.content), number_of_frames=3)
    assert [image.rstrip(b"\0") for image in alone] == [image.rstrip(b"\0") for image in images]
    assert np.array_equal(
        decoded(result.content), decoded(written(compressed(small(3), "jpeg-2000"), "jpeg-2000"))
    )


@pytest.mark.parametrize(
    "image",
    [
        lambda codestream: boxed(codestream, SIZE, SYCC),
        lambda codestream: boxed(codestream, SIZE, LAB),
        lambda codestream: boxed(codestream, SIZE, GREY, CHANNELS),
        lambda codestream: boxed(codestream, SIZE, GREY, b"pclr"),
        lambda codestream: boxed(codestream, SIZE, GREY, behind=box(b"jp2c" + codestream)),
        lambda codestream: boxed(codestream, SIZE, GREY, behind=b"Mustermann"),
        lambda codestream: boxed(codestream, SIZE, GREY)[: -len(codestream) - 8],
        lambda codestream: jp2.START + box(b"free") * 300,
        lambda codestream: jp2.START,
    ],
    ids=["sYCC", "Lab", "channels", "palette", "two", "behind", "none", "many", "empty"],
)
def test_a_jp2_file_that_changes_its_samples_or_is_broken_stays_in(image):
    (codestream,) = codestreams(1)
    content = encapsulated(small(), encapsulate([image(codestream)]), "jpeg-2000")
    assert outcome(content) == "compressed-pixels"


@pytest.mark.parametrize(("pad", "expected"), [(b"\0", "out"), (b"M", "excess-pixels")])
def test_of_words_in_big_endian_the_last_one_ends_with_the_last_pixel(pad, expected):
    data = small()
    data.Rows = data.Columns = 3
    pixels = bytes(range(1, 10))
    data.PixelData = np.frombuffer(pixels + pad, "<u2").byteswap().tobytes()
    data["PixelData"].VR = "OW"
    assert outcome(written(data, "big")) == expected
