from __future__ import annotations

import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import MAX_BYTES, encode
from schemas.feed import CommentPosted
from schemas.make import first
from schemas.samples import NOON
from schemas.sealed import MAX_CLEAR, MAX_SEALED, PREFIX, SealedText, is_sealed
from ui.subjects.sealing import Place, Unreadable, new_key, seal, unseal, unwrap, wrap

KEY, OTHER = new_key(), new_key()
PLACE = Place("default", "feed", "comment", "ana")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
PARTS = st.builds(Place, *[st.text("abc-/", max_size=4)] * 4)


@given(TEXTS, PARTS)
def test_what_is_sealed_opens_at_its_place(text, place):
    sealed = seal(KEY, place, text)
    assert unseal(KEY, place, sealed) == text
    assert is_sealed(sealed)
    assert msgspec.convert(sealed, SealedText) == sealed
    assert seal(KEY, place, text) == sealed


@given(TEXTS, PARTS, PARTS)
def test_it_opens_nowhere_else(text, place, other):
    sealed = seal(KEY, place, text)
    if place != other:
        with pytest.raises(Unreadable):
            unseal(KEY, other, sealed)
    with pytest.raises(Unreadable):
        unseal(OTHER, place, sealed)


@pytest.mark.parametrize("field", Place._fields)
def test_each_part_of_its_place_counts(field):
    with pytest.raises(Unreadable):
        unseal(KEY, PLACE._replace(**{field: "another"}), seal(KEY, PLACE, "x"))


@given(st.one_of(st.text(), st.text("AZaz09-_=", max_size=60).map(PREFIX.__add__)))
def test_whatever_else_stands_there_is_unreadable_and_nothing_worse(noise):
    with pytest.raises(Unreadable):
        unseal(KEY, PLACE, noise)


@given(TEXTS, st.data())
def test_one_changed_bit_is_seen(text, data):
    sealed = seal(KEY, PLACE, text)
    at = data.draw(st.integers(len(PREFIX), len(sealed) - 2))
    changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
    with pytest.raises(Unreadable):
        unseal(KEY, PLACE, changed)


def test_a_key_is_wrapped_for_its_subject_alone():
    wrapped = wrap(OTHER, "ana", KEY)
    assert unwrap(OTHER, "ana", wrapped) == KEY
    for wrapping, subject, bad in ((OTHER, "ben", wrapped), (KEY, "ana", wrapped), (OTHER, "ana", b"")):
        with pytest.raises(Unreadable):
            unwrap(wrapping, subject, bad)


@pytest.mark.parametrize("character", ["x", "ä", "画", "🩻", "\x01"])
def test_the_longest_text_fits_an_event(character):
    sealed = seal(KEY, PLACE, character * MAX_CLEAR)
    assert is_sealed(sealed)
    assert len(sealed) <= MAX_SEALED
    posted = msgspec.convert({"comment": str(uuid.uuid4()), "text": sealed}, CommentPosted)
    event = first(posted, event_id=str(uuid.uuid4()), source="/chips/tests", subject="s" * 256, time=NOON)
    assert len(encode(event)) < MAX_BYTES
    assert not is_sealed("x" * MAX_CLEAR)
