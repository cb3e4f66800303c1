"""A report as JSON: the overview, then each series. Pure; given piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from agents.anonymization.report.types import Overview, Series


def as_json(overview: Overview, series: Iterable[Series]) -> Iterator[str]:
    """Yield an object with the fields of `Overview` and a list ``each_series`` of `Series`."""
    yield msgspec.json.encode(overview).decode().removesuffix("}")
    yield ',"each_series":['
    separator = "\n"
    for one in series:
        yield separator + msgspec.json.encode(one).decode()
        separator = ",\n"
    yield "\n]}\n"
