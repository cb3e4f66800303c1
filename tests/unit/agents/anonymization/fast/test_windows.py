"""Headers longer than what is read at once, and values that are never read."""

from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from agents.anonymization.anonymize import anonymize
from agents.anonymization.fast.engine import FastPath
from agents.anonymization.fast.top import WINDOW
from agents.anonymization.outcome import Anonymized
from streams.copying import Spliced
from tests.unit.agents.anonymization.fast.comparing import KEY, POLICIES, carefully, plain
from tests.unit.agents.anonymization.fast.writing import (
    EXPLICIT,
    IMPLICIT,
    Element,
    ct,
    ct_file,
    data_set,
    part10,
)

ROOT = Path(__file__).parents[5]
HEAD = Element(0x00082218, "SQ", [[Element(0x00080104, "LO", b"Head")]], undefined=True)


def alike(content, policy="basic"):
    fast = FastPath(KEY, POLICIES[policy]).take(content)
    assert fast is not None
    assert plain(fast) == plain(carefully(content, POLICIES[policy]))
    return fast


def padding_to(place, *more, implicit=False):
    """A private value after which the next element, (0019,2001), begins at this place of the file."""
    empty = ct_file(*more, Element(0x00191001, "OB", b""), Element(0x00192001, "LO", b""), implicit=implicit)
    at = empty.index(b"\x19\0\x01\x20")
    return Element(0x00191001, "OB", bytes(place - at))


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("policy", ["basic", "private"])
def test_an_element_may_begin_and_end_anywhere_in_a_window(implicit, policy):
    for behind in range(-30, 14, 2):
        padding = padding_to(WINDOW + behind, implicit=implicit)
        alike(ct_file(padding, Element(0x00192001, "LO", b"x "), implicit=implicit), policy)
        alike(ct_file(padding, Element(0x00192001, "UT", b"x " * 20), HEAD, implicit=implicit), policy)


@pytest.mark.parametrize("tag", [0x00191010, 0x00204000, 0x00280002])
@pytest.mark.parametrize("undefined", [False, True])
def test_a_sequence_may_be_longer_than_a_window(tag, undefined):
    items = [
        [Element(0x00080100, "SH", b"T-1 "), Element(0x00081155, "UI", f"1.2.3.{number:03}\0".encode())]
        for number in range(1500)
    ]
    behind = Element(tag, "LO" if tag < 0x00280000 else "US", b"\1\0")
    for sequence in (0x00082218, 0x00091001):
        alike(ct_file(Element(sequence, "SQ", items, undefined), behind))


@pytest.mark.parametrize(
    ("tag", "vr"), [(0x0040A160, "UT"), (0x00082112, "SQ"), (0x00191001, "OB"), (0x00102154, "UN")]
)
def test_a_value_that_goes_may_be_longer_than_a_window(tag, vr):
    value = [[Element(0x00080104, "LO", b"x " * 300)] * 1] * 200 if vr == "SQ" else b"x " * 200_000
    alike(ct_file(Element(tag, vr, value)))


@pytest.mark.parametrize(("tag", "vr"), [(0x00660016, "OF"), (0x54001010, "OW"), (0x00289110, "SQ")])
@pytest.mark.parametrize("size", [1000, 60_000, 66_000, 200_000])
@pytest.mark.parametrize("implicit", [False, True])
def test_a_value_that_stays_may_be_longer_than_a_window(tag, vr, size, implicit):
    value = (
        bytes(size) if vr != "SQ" else [[Element(0x00281056, "CS", b"LINEAR")]] * (min(size, 40_000) // 22)
    )
    alike(ct_file(Element(tag, vr, value), implicit=implicit))
    if vr == "OF":
        assert FastPath(KEY, POLICIES["basic"]).take(ct_file(Element(tag, vr, bytes(size + 2)))) is None


@pytest.mark.parametrize("behind", [b"", bytes(8), bytes(1000), bytes(70_000)])
def test_padding_behind_the_pixels_goes(behind):
    alike(ct_file() + behind)
    assert FastPath(KEY, POLICIES["basic"]).take(ct_file() + behind + b"x") is None


@pytest.mark.parametrize("excess", [0, 2, 40_000, 3_000_000])
def test_pixels_may_be_longer_than_the_image_by_nothing_but_zeros(excess):
    alike(ct_file(Element(0x7FE00010, "OW", bytes(32 + excess))))
    if excess:
        hidden = bytes(32 + excess - 2) + b"E "
        assert FastPath(KEY, POLICIES["basic"]).take(ct_file(Element(0x7FE00010, "OW", hidden))) is None


def encapsulated(*fragments):
    pixels = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(one)) + one for one in (b"", *fragments))
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    head = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
    body = data_set(ct(without=(0x7FE00010,)))
    return part10(body + head + pixels + end, "1.2.840.10008.1.2.4.90")


def commented(image, words):
    """A JPEG 2000 codestream with a comment behind SIZ, which comes first."""
    at = 4 + int.from_bytes(image[4:6])
    return image[:at] + b"\xff\x64" + struct.pack(">HH", 4 + len(words), 1) + words + image[at:]


def test_compressed_pixels_are_copied_once_they_hold_an_image_and_nothing_else():
    path = get_testdata_file("MR_small_jp2klossless.dcm")
    image = next(generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))
    alike(encapsulated(image))
    alike(encapsulated(commented(image, b"Kakadu-7.1.2")))
    alike(encapsulated(image[:1000], image[1000:]) + bytes(2))
    take = FastPath(KEY, POLICIES["basic"]).take
    for other in (commented(image, b"Erika "), image + b"Erika ", image + bytes(4) + b"xy"):
        assert take(encapsulated(other)) is None
    assert take(encapsulated(image)[:-8]) is None


def test_an_object_without_pixels_is_bytes(tmp_path):
    (tmp_path / "a.dcm").write_bytes(ct_file(without=(0x7FE00010,)))
    alike(tmp_path.joinpath("a.dcm").read_bytes())
    found = FastPath(KEY, POLICIES["basic"]).take(tmp_path / "a.dcm")
    assert found.size == len(found.content)


FOUR_GB = 8191 * 512 * 512 * 2


def large(path, *, syntax=EXPLICIT):
    implicit = syntax == IMPLICIT
    head = data_set(
        ct(
            Element(0x00280008, "IS", b"8191"),
            Element(0x00280010, "US", b"\0\2"),
            Element(0x00280011, "US", b"\0\2"),
            Element(0x7FE00010, "OW", b"", said=FOUR_GB),
        ),
        implicit=implicit,
    )
    with path.open("wb") as file:
        file.write(part10(head, syntax))
        file.truncate(file.tell() + FOUR_GB)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_four_gigabytes_take_no_memory(tmp_path, syntax):
    """Judged in a process of its own, of which the growth is told; a part is copied, too."""
    large(tmp_path / "large.dcm", syntax=syntax)
    script = """
        import dataclasses, os, resource, sys
        from pathlib import Path
        from agents.anonymization.anonymize import anonymize
        from agents.anonymization.policy.document import Policy
        from gateway.identity import ProjectKey
        from streams.copying import Span, Spliced, write
        key, policy = ProjectKey(project="p", secret=bytes(32)), Policy(name="basic", version=1)
        policy.label
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = anonymize(Path(sys.argv[1]), key=key, policy=policy)
        head, span, tail = found.output.parts
        part = dataclasses.replace(found.output, parts=(head, Span(span.offset, 1 << 27), tail))
        with open(os.devnull, "wb") as nowhere:
            digest = write(dataclasses.replace(found.output, parts=(head, Span(span.offset, 1 << 27))),
                           nowhere.fileno(), digest=True)
            write(part, nowhere.fileno())
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        print(found.size, span.length, found.number_of_frames, grown)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "large.dcm")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    size, span, frames, grown = map(int, run.stdout.split())
    assert (span, frames) == (FOUR_GB, 8191)
    assert FOUR_GB < size < FOUR_GB + 10_000
    assert grown < 64


def test_four_gigabytes_that_it_does_not_take_stay_in(tmp_path):
    large(tmp_path / "large.dcm")
    with (tmp_path / "large.dcm").open("r+b") as file:
        file.seek(-1, 2)
        file.truncate()
    outcome = anonymize(tmp_path / "large.dcm", key=KEY, policy=POLICIES["basic"])
    assert outcome.reason == "too-large"


def test_the_output_of_a_path_is_copied_later(tmp_path):
    (tmp_path / "a.dcm").write_bytes(ct_file())
    outcome = anonymize(tmp_path / "a.dcm", key=KEY, policy=POLICIES["basic"])
    assert isinstance(outcome, Anonymized)
    assert isinstance(outcome.output, Spliced)
    assert outcome.content == anonymize(ct_file(), key=KEY, policy=POLICIES["basic"]).output
