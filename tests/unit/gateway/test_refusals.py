from __future__ import annotations

import pytest
from pynetdicom.status import STORAGE_SERVICE_CLASS_STATUS, code_to_category

from gateway import refusals
from gateway.part10 import Malformed

ALL = [
    refusals.no_room(),
    refusals.vault_failed(),
    refusals.no_dataset(),
    refusals.other_class(),
    refusals.other_instance(),
    refusals.failed(),
    refusals.not_understood(
        Malformed("bad-uid", "Something went wrong, and it takes many words to say. " * 4)
    ),
]


@pytest.mark.parametrize("refusal", ALL, ids=lambda one: one.reason)
def test_a_refusal_is_a_failure_with_a_comment_that_fits(refusal):
    assert code_to_category(refusal.status) == "Failure"
    assert refusal.status not in STORAGE_SERVICE_CLASS_STATUS or refusal.status >= 0xA700
    assert 0 < len(refusal.comment) <= 64
    assert refusal.comment.isascii()


def test_only_what_is_transient_says_out_of_resources():
    assert [one.reason for one in ALL if one.status & 0xFF00 == 0xA700] == ["no-room", "vault-failed"]
