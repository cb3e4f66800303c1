"""The table of `docs/dicom-conformance.md`: measured again, it says the same."""

from __future__ import annotations

from gateway.conformance import PAGE, written_into
from tests.interoperation import COLUMNS, FAILED, PART, Row, measure, table


async def test_every_sender_does_as_the_conformance_statement_says(tmp_path):
    matrix = await measure(tmp_path)
    assert FAILED not in {cell for cells in matrix.values() for cell in cells.values()}, table(matrix)
    page = PAGE.read_text(encoding="utf-8")
    assert written_into(page, PART, table(matrix)) == page, "run `python -m tests.interoperation`"


def test_a_cell_that_changed_is_another_page():
    page = PAGE.read_text(encoding="utf-8")
    one = table({Row("storescu", False): dict.fromkeys(COLUMNS, FAILED)})
    assert FAILED in written_into(page, PART, one) != page
