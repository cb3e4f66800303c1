"""Objects that lie about their pixels are refused before anything large is made of them."""

from __future__ import annotations

import random
import struct
import subprocess
import time
from io import BytesIO
from types import SimpleNamespace

import gdcm
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import get_frame

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels import decoder as module
from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.pixels.decoder import Decoder
from agents.anonymization.pixels.frames import Frames
from agents.anonymization.pixels.header import Header
from agents.anonymization.pixels.picture import picture_of
from agents.anonymization.policy.ready import BASIC
from gateway.part10 import Malformed
from tests.unit.agents.anonymization.pixels.drawn import (
    Kind,
    by_pillow,
    by_pydicom,
    compressed_as,
    drawn,
    stored_as,
)

GREY = Kind()


def refused(source):
    began = time.perf_counter()
    with pytest.raises((Refusal, Malformed)) as found:
        clean_pixels(source, BASIC)
    assert time.perf_counter() - began < 2
    return found.value.reason if isinstance(found.value, Refusal) else found.value.code


@pytest.fixture
def never_decoded(monkeypatch):
    def fail(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr(Decoder, "decode", fail)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Rows": None}, "unsupported-pixels"),
        ({"Columns": 0}, "unsupported-pixels"),
        ({"BitsAllocated": 64}, "unsupported-pixels"),
        ({"BitsAllocated": 12}, "unsupported-pixels"),
        ({"BitsStored": 0}, "unsupported-pixels"),
        ({"BitsStored": 9}, "unsupported-pixels"),
        ({"HighBit": 3}, "unsupported-pixels"),
        ({"SamplesPerPixel": 4}, "unsupported-pixels"),
        ({"SamplesPerPixel": 3}, "unsupported-pixels"),
        ({"PhotometricInterpretation": "CMYK"}, "unsupported-pixels"),
        ({"PhotometricInterpretation": "RGB"}, "unsupported-pixels"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "unsupported-pixels"),
        ({"NumberOfFrames": "2147483647"}, "too-many-pixels"),
        ({"NumberOfFrames": "0"}, "too-many-pixels"),
        ({"Rows": 65535, "Columns": 65535}, "too-many-pixels"),
        ({"Rows": 8000, "Columns": 8000}, "truncated"),
        ({"NumberOfFrames": "2"}, "truncated"),
    ],
)
def test_what_native_pixels_say_of_themselves_is_judged(changes, reason):
    data = pydicom.dcmread(BytesIO(stored_as(drawn(), GREY)))
    for name, value in changes.items():
        setattr(data, name, value)
    stream = BytesIO()
    data.save_as(stream)
    assert refused(stream.getvalue()) == reason


JPEG = by_pillow(drawn(), GREY, uid.JPEGBaseline8Bit, "JPEG")
JPEG_2000 = by_pillow(drawn(), GREY, uid.JPEG2000Lossless, "JPEG2000", no_jp2=True)


@pytest.mark.parametrize(
    ("image", "syntax", "shape", "reason"),
    [
        (b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 65535, 65535, 1), "jpeg", (160, 224), None),
        (
            b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 65535, 65535, 1),
            "jpeg",
            (65535, 65535),
            "large",
        ),
        (b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 9000, 9000, 1), "jpeg", (9000, 9000), "bomb"),
        (b"\xff\xd8\xff\xc2" + struct.pack(">HBHHB", 11, 8, 160, 224, 1), "jpeg", (160, 224), None),
        (b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 11, 8, 160, 224, 1), "jpeg", (160, 224), None),
        (b"\xff\x4f\xff\x51" + bytes(40), "2000", (160, 224), None),
        (b"\0\0", "jpeg", (160, 224), None),
        (b"no picture at all", "2000", (160, 224), None),
    ],
)
@pytest.mark.usefixtures("never_decoded")
def test_compressed_pixels_that_lie_are_not_decoded(image, syntax, shape, reason):
    syntaxes = {"jpeg": uid.JPEGBaseline8Bit, "2000": uid.JPEG2000}
    source = compressed_as([image + bytes(len(image) % 2)], GREY, syntaxes[syntax], shape=shape)
    expected = {None: "undecodable-pixels", "large": "too-many-pixels", "bomb": "bomb"}
    assert refused(source) == expected[reason]


def tiles_of(image, width):
    """Say of a JPEG 2000 picture that its tiles are so wide and high."""
    at = image.index(b"\xff\x51") + 4 + 2
    return image[: at + 16] + struct.pack(">II", width, width) + image[at + 24 :]


def test_many_tiles_are_not_decoded(never_decoded):
    image = get_frame(pydicom.dcmread(BytesIO(JPEG_2000)).PixelData, 0, number_of_frames=1)
    assert refused(compressed_as([tiles_of(image, 1)], GREY, uid.JPEG2000Lossless)) == "undecodable-pixels"


@pytest.mark.parametrize(
    "image",
    [
        struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\xff" * 100,
        struct.pack("<16I", 16, *range(64, 79)) + b"\x81\xff" * 1000,
        struct.pack("<16I", 1, 64, *[0] * 14) + b"\x05ab",
        struct.pack("<16I", 3, 64, 64, 64, *[0] * 12) + b"\x81\xff" * 1000,
        struct.pack("<16I", 1, 4_000_000_000, *[0] * 14),
        b"\1\0",
    ],
)
def test_run_lengths_that_end_too_early_stay_in(image):
    assert refused(compressed_as([image], GREY, uid.RLELossless)) == "undecodable-pixels"


def test_run_lengths_are_expanded_to_the_picture_and_no_further():
    segment = b"\x81\xff" * 4_000_000  # half a gigabyte
    image = struct.pack("<16I", 1, 64, *[0] * 14) + segment
    began = time.perf_counter()
    header = Header(compressed_as([image], GREY, uid.RLELossless))
    assert (Frames(header, picture_of(header), Decoder()).stored(0) == 255).all()
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_frames_stays_in(count):
    one = get_frame(pydicom.dcmread(BytesIO(JPEG)).PixelData, 0, number_of_frames=1)
    source = compressed_as([one] * 3, GREY, uid.JPEGBaseline8Bit, frames=count)
    assert refused(source) == "undecodable-pixels"


@pytest.mark.parametrize("source", [JPEG, JPEG_2000, by_pydicom(drawn(), GREY, uid.JPEGLSLossless)])
def test_damaged_pixels_are_decoded_or_refused(source):
    header = Header(source)
    at, rng = source.index(bytes(header.pixels)) + 40, random.Random(5)
    for _ in range(8):
        damaged = bytearray(source)
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(at, len(source) - 12)] = rng.randrange(256)
        try:
            header = Header(bytes(damaged))
            with Decoder() as decoder:
                frame = Frames(header, picture_of(header), decoder).stored(0)
        except (Refusal, Malformed):
            continue
        assert frame.shape == (160, 224)


@pytest.mark.parametrize("program", ["import os; os.abort()", "print()", "import time; time.sleep(60)"])
def test_a_decoder_that_dies_or_hangs_ends_one_object(monkeypatch, program):
    def start(command, **options):
        return subprocess.Popen([command[0], "-c", program], **options)

    monkeypatch.setattr(module, "SECONDS_FOR_A_FRAME", 1)
    monkeypatch.setattr(module, "subprocess", SimpleNamespace(**vars(subprocess) | {"Popen": start}))
    assert refused(JPEG) == "undecodable-pixels"


def test_foreign_pictures_are_not_decoded_in_this_process(monkeypatch):
    monkeypatch.delattr(gdcm, "Image")
    header = Header(JPEG)
    with Decoder() as decoder:
        assert Frames(header, picture_of(header), decoder).stored(0).any()


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.1.98", "1.2.3"]
)
def test_other_transfer_syntaxes_stay_in(syntax):
    assert refused(compressed_as([b"\0\0"], GREY, syntax)) in ("undecodable-pixels", "bomb")


def test_floating_point_stays_in():
    data = pydicom.dcmread(BytesIO(stored_as(drawn(), GREY)))
    del data.PixelData
    data.FloatPixelData = np.zeros((160, 224), np.float32).tobytes()
    stream = BytesIO()
    data.save_as(stream)
    assert refused(stream.getvalue()) == "unsupported-pixels"
