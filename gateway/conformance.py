"""Writes what code says into ``docs/dicom-conformance.md``: ``python -m gateway.conformance [--check]``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pydicom.uid import UID

from gateway import pressure, refusals
from gateway.commitment.service import COMMENTS
from gateway.dul import negotiation
from gateway.dul.negotiation import Rejection
from gateway.errors import ObjectRefused
from gateway.part10 import Malformed
from gateway.reception import OURS
from gateway.sources import judging

PAGE = Path(__file__).parent.parent / "docs" / "dicom-conformance.md"
_RESULTS = {1: "permanent", 2: "transient"}
_SOURCES = {1: "service user", 2: "service provider (ACSE)", 3: "service provider (presentation)"}
_WHATEVER = "*what is wrong*"


def written_into(page: str, part: str, made: str) -> str:
    """Give a page with a part of it made anew.

    Raises
    ------
    ValueError
        When the page has no such part.
    """
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"The page has no part {part}")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{made}\n{end}{rest.partition(end)[2]}"


def rendered(page: str) -> str:
    """Give the page with all that code says made anew."""
    for part, make in PARTS.items():
        page = written_into(page, part, make())
    return page


def _statuses() -> str:
    rows = [("0x0000", "Success: bytes and journal entry are durable", "", "", "")]
    made = [
        (
            refuse(Malformed(_WHATEVER, _WHATEVER)) if inspect.signature(refuse).parameters else refuse(),
            refuse,
        )
        for refuse in _refusals()
    ]
    for refused, refuse in sorted(made, key=lambda one: one[0].status):
        what = (inspect.getdoc(refuse) or "").partition("\n")[0].removeprefix("Refuse ").rstrip(".")
        rows.append(
            (f"0x{refused.status:04X}", _meaning(refused.status), refused.reason, refused.comment, what)
        )
    return _table(("status", "meaning", "reason", "Error Comment (0000,0902)", "refuses"), rows)


def _refusals() -> Iterable[Callable[..., ObjectRefused]]:
    for _, found in inspect.getmembers(refusals, inspect.isfunction):
        if found.__annotations__.get("return") == ObjectRefused.__name__:
            yield found


def _meaning(status: int) -> str:
    if status & 0xFF00 == refusals.OUT_OF_RESOURCES:
        return "Refused: out of resources; transient"
    return {
        refusals.INVALID_INSTANCE: "Invalid object instance",
        refusals.NOT_AUTHORIZED: "Refused: not authorized",
        refusals.DOES_NOT_MATCH: "Error: data set does not match SOP Class",
        refusals.CANNOT_UNDERSTAND: "Error: cannot understand",
        refusals.FAILED: "Error: cannot understand",
    }[status]


def _commitment() -> str:
    rows = [
        ("0x0000", "the report follows"),
        *((f"0x{one:04X}", text) for one, text in sorted(COMMENTS.items())),
    ]
    return _table(("status of N-ACTION", "Error Comment (0000,0902)"), rows)


def _rejections() -> str:
    found = {
        value.word: value
        for module in (negotiation, judging, pressure)
        for value in vars(module).values()
        if isinstance(value, Rejection) and value != negotiation.CONGESTION  # it has words of its own
    }
    rows = [
        (one.word, _RESULTS[one.result], _SOURCES[one.source], str(one.diagnostic))
        for one in sorted(found.values(), key=lambda one: (one.result, one.source, one.diagnostic, one.word))
    ]
    return _table(("word in metrics", "result", "source", "reason"), rows)


def _services() -> str:
    rows = [
        (
            UID(service).name,
            service,
            ", ".join(UID(one).name for one in syntaxes) or "any, the first proposed",
        )
        for service, syntaxes in OURS.services.items()
    ]
    rows.insert(
        0, ("every Storage SOP Class", "standard, retired, private, unknown", "any, the first proposed")
    )
    return _table(("abstract syntax", "UID", "transfer syntaxes"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "services": _services,
    "rejections": _rejections,
    "statuses": _statuses,
    "commitment": _commitment,
}
"""By their names in the page."""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the page, or tell whether it has drifted."""
    before = PAGE.read_text(encoding="utf-8")
    after = rendered(before)
    if "--check" in arguments:
        if before != after:
            sys.stderr.write(f"{PAGE.name} has drifted: run `python -m gateway.conformance`\n")
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
