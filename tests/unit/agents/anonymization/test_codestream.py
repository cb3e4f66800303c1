from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from agents.anonymization.codestream import Undecodable, head_of, is_bare

GREYS = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)


def pillow(form, values=GREYS, **options):
    stream = BytesIO()
    Image.fromarray(values).save(stream, form, **options)
    return stream.getvalue()


JPEG = pillow("JPEG")
COLOUR = pillow("JPEG", np.repeat(GREYS[..., None], 3, axis=2))
LOSSLESS = pillow("JPEG2000", no_jp2=True)
LOSSY = pillow("JPEG2000", no_jp2=True, irreversible=True)
SEGMENT = b"\xff\xfe" + struct.pack(">H", 2 + 10) + b"Mustermann"


def test_heads_say_what_a_picture_is():
    assert head_of(JPEG)[:5] == ("jpeg", 48, 64, 1, 8)
    assert head_of(COLOUR)[:5] == ("jpeg", 48, 64, 3, 8)
    assert head_of(COLOUR).jfif
    assert head_of(LOSSLESS)[:7] == ("jpeg2000", 48, 64, 1, 8, False, False)
    assert head_of(LOSSY).lossy
    assert head_of(pillow("JPEG2000", GREYS.astype(np.uint16), no_jp2=True)).precision == 16


@pytest.mark.parametrize(
    "image", [b"", b"\xff\xd8", b"\xff\xd8\xff\xda\0\4ab", JPEG[2:], pillow("JPEG2000"), pillow("PNG")]
)
def test_other_bytes_are_no_picture(image):
    with pytest.raises(Undecodable):
        head_of(image)


@pytest.mark.parametrize("image", [JPEG, COLOUR, pillow("JPEG", progressive=True), LOSSLESS, LOSSY])
def test_pictures_that_carry_nothing_else(image):
    assert is_bare(image)
    assert is_bare(image + b"\0")


@pytest.mark.parametrize(
    "image",
    [
        JPEG + b"Mustermann",
        LOSSLESS + b"Mustermann",
        JPEG[:2] + SEGMENT + JPEG[2:],
        JPEG[:-2] + SEGMENT + JPEG[-2:],
        LOSSLESS[:2] + LOSSLESS[2:].replace(b"\xff\x52", b"\xff\x64\0\x0e\0\1Mustermann\xff\x52", 1),
        LOSSLESS.replace(b"Created by OpenJPEG", b"Created by Mustermn"),
        pillow("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
        JPEG.replace(b"\0\1\0\1\0\0", b"\0\1\0\1\1\1", 1),  # a thumbnail, as JFIF says
        JPEG[:-2],
        b"\0\0",
        b"",
    ],
)
def test_pictures_that_carry_more(image):
    assert not is_bare(image)
