"""The second look: an output that was tampered with is not let out."""

from __future__ import annotations

import pytest
from pydicom.uid import CTImageStorage

from agents.anonymization.anonymize import anonymize
from agents.anonymization.graphics import NO_OVERLAYS, Overlays
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.rules import Rules
from agents.anonymization.text.known import KnownValues
from agents.anonymization.verify import Expected, check_output, measure
from gateway.part10 import Bounds, Encoding, read_meta

ENCODING = Encoding(implicit=False, little=True)
PLAIN = Policy(
    name="tried", version=1, attributes={"StudyDescription": Override(action="dummy", why="a dummy to see")}
)
SAFE = Policy(name="tried", version=1, options=frozenset(["retain_safe_private", "clean_graphics"]))


@pytest.fixture
def look(ct, encode, put, element, key):
    """Anonymize, put an element into the output, and look at it."""

    def run(*elements, policy=PLAIN, encrypted=False, overlays=NO_OVERLAYS, pixels=None):
        content = anonymize(encode(ct()), key=key, policy=policy).content
        untouched = content[read_meta(content).dataset :]
        span = measure(untouched, 0, ENCODING, Bounds())
        for one in elements:
            content = put(content, one[0], element(*one))
        expected = Expected(
            rules=Rules(policy, CTImageStorage),
            known=KnownValues([b"Mustermann^Erika", b"PID-12345"]),
            overlays=overlays,
            encrypted=encrypted,
        )
        kept = untouched[span.pixels_begin : span.pixels_end] if pixels is None else pixels
        check_output(content[read_meta(content).dataset :], ENCODING, expected, memoryview(kept))

    return run


def item(inner):
    return b"\xfe\xff\0\xe0" + len(inner).to_bytes(4, "little") + inner


def test_an_output_as_it_should_be_passes(look):
    look()
    look(policy=SAFE)
    look((0x00081030, "LO", b"ANONYMIZED"))
    look((0x00080070, "LO", b"Another maker "))


@pytest.mark.parametrize(
    "tampered",
    [
        (0x00081040, "LO", b"Ward 7"),  # X
        (0x00080020, "DA", b"20240229"),  # Z
        (0x00081030, "LO", b"a head"),  # a dummy that is none
        (0x0020000D, "UI", b"1.2.3.4.2 "),  # U
        (0x00080070, "LO", b"for Erika "),  # kept, and a name
        (0x00100010, "PN", b"Mustermann"),
        (0x00190010, "LO", b"ACME"),
        (0x00191001, "LO", b"private "),
        (0x60000010, "US", b"\1\0"),
        (0x04000500, "SQ", b""),
    ],
)
def test_what_the_policy_does_not_leave_does_not_get_out(look, tampered):
    with pytest.raises(Refusal) as refused:
        look(tampered)
    assert refused.value.reason == "not-verified"


def test_items_are_looked_into(look, element):
    for tag, vr, value in ((0x00081040, "LO", b"Ward 7"), (0x00080080, "LO", b"Erika ")):
        look((0x52009229, "SQ", item(element(0x00180015, "CS", b"HEAD"))))
        with pytest.raises(Refusal):
            look((0x52009229, "SQ", item(element(tag, vr, value))))


def test_private_elements_are_safe_by_the_creator_of_their_own_item(look, element):
    safe = element(0x00190010, "LO", b"SIEMENS MR HEADER ") + element(0x0019100C, "IS", b"1000")
    bare = element(0x0019100C, "IS", b"1000")
    look((0x52009229, "SQ", item(safe) + item(safe)), policy=SAFE)
    for items in (item(bare), item(safe) + item(bare), item(safe + element(0x0019100D, "DS", b"1 "))):
        with pytest.raises(Refusal):
            look((0x52009229, "SQ", items), policy=SAFE)
    with pytest.raises(Refusal):
        look((0x52009229, "SQ", item(safe)))


def test_only_judged_overlays_are_there(look):
    judged = Overlays(frozenset({0x6000}), frozenset({0x6000}))
    look((0x60000010, "US", b"\1\0"), policy=SAFE, overlays=judged)
    for tampered in ((0x60020010, "US", b"\1\0"), (0x60000800, "CS", b"CODE")):
        with pytest.raises(Refusal):
            look(tampered, policy=SAFE, overlays=judged)


def test_encrypted_originals_are_there_when_they_should_be(look):
    look((0x04000500, "SQ", item(b"")), encrypted=True)
    with pytest.raises(Refusal):
        look((0x04000500, "SQ", item(b"")))


def test_other_pixels_do_not_get_out(look):
    with pytest.raises(Refusal, match="pixels"):
        look(pixels=bytes(32))


def test_what_can_not_be_read_does_not_get_out(look):
    with pytest.raises(Refusal, match="read back"):
        look((0x52009229, "SQ", b"no items"))
