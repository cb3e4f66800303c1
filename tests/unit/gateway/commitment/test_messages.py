"""Requests and reports, judged by pydicom."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pynetdicom.dsutils import encode

from gateway.commitment.messages import (
    NO_SUCH_INSTANCE,
    SYNTAXES,
    Asked,
    Failure,
    Reference,
    parse,
    report,
)
from gateway.part10 import Malformed

EXPLICIT, IMPLICIT = SYNTAXES
uids = st.from_regex(r"[12](\.[1-9][0-9]{0,8}){1,6}", fullmatch=True)
references = st.builds(Reference, uids, uids)


def request(asked: Asked) -> Dataset:
    made = Dataset()
    made.TransactionUID = asked.transaction_uid
    made.ReferencedSOPSequence = []
    for reference in asked.references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference
        made.ReferencedSOPSequence.append(item)
    return made


@given(
    st.builds(Asked, uids, st.lists(references, min_size=1, max_size=5).map(tuple)), st.sampled_from(SYNTAXES)
)
def test_a_request_is_read_as_pydicom_writes_it(asked, syntax):
    assert parse(encode(request(asked), syntax == IMPLICIT, True), syntax) == asked


@given(
    st.builds(Asked, uids, st.lists(references, min_size=1, max_size=5, unique=True).map(tuple)),
    st.integers(0, 5),
    st.sampled_from(SYNTAXES),
)
def test_pydicom_reads_a_report(asked, count, syntax):
    failures = [Failure(one, NO_SUCH_INSTANCE) for one in asked.references[:count]]
    read = read_dataset(BytesIO(report(asked, failures, syntax)), syntax == IMPLICIT, True)
    assert read.TransactionUID == asked.transaction_uid
    failed, kept = read.get("FailedSOPSequence", []), read.get("ReferencedSOPSequence", [])
    assert [(one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID) for one in [*failed, *kept]] == [
        *asked.references
    ]
    assert {one.FailureReason for one in failed} <= {NO_SUCH_INSTANCE}
    assert len(failed) == len(failures)
    assert [int(one.tag) for one in read] == sorted(int(one.tag) for one in read)


@pytest.mark.parametrize("spoilt", ["no transaction", "no references", "no class", "no instance", "odd uid"])
def test_what_is_no_request_is_told(spoilt):
    made = request(Asked("1.2.3", (Reference("1.2", "1.3"),)))
    item = made.ReferencedSOPSequence[0]
    match spoilt:
        case "no transaction":
            del made.TransactionUID
        case "no references":
            del made.ReferencedSOPSequence
        case "no class":
            del item.ReferencedSOPClassUID
        case "no instance":
            del item.ReferencedSOPInstanceUID
        case _:
            item.ReferencedSOPInstanceUID = "../../etc"
    with pytest.raises(Malformed):
        parse(encode(made, False, True), EXPLICIT)


@given(st.binary(max_size=100))
def test_rubbish_is_told(raw):
    with pytest.raises(Malformed):
        parse(raw, EXPLICIT)
