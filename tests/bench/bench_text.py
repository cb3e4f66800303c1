"""What text costs: to compile what an object calls its people, to look for it, to clean a descriptor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from agents.anonymization.text.cleaning import Cleaner
from agents.anonymization.text.known import KnownValues
from tests.bench.figures import Spread, ranged, spread, table

VALUES = 400
ROUNDS = 3
TITLE = "Text"
ABOUT = (
    "An object names a patient, two physicians, an institution, an address, a telephone number and ids; "
    f"{VALUES} descriptors and codes that name nobody are looked at, and then once more. `occur_in` is "
    "asked for every kept code and short text, `clean` for descriptors. Processor time, one process."
)
_NAMING = {
    0x00100010: b"Mustermann^Erika Maria",
    0x00100020: b"PID-0012345",
    0x00100030: b"19700131",
    0x00080020: b"20240229",
    0x00080050: b"ACC0047114",
    0x00080080: b"Klinikum Entenhausen",
    0x00080081: b"Hauptstr. 12, 80331 Entenhausen",
    0x00080090: b"Seltsam^Dora^^Dr.",
    0x00081070: b"Meier^Josef",
    0x00102154: b"+49 89 1234567",
    0x00200010: b"S4711",
}
_WORDS = (
    *("CT^Head Routine (Adult)", "T1 MPRAGE sag", "Abdomen 5.0 B31f", "AX T2 FLAIR", "ORIGINAL\\PRIMARY"),
    *("syngo MR", "HFS", "5 mm"),
)


class Row(NamedTuple):
    """One figure: microseconds a call, the first time a value is seen and again."""

    what: str
    first: Spread
    again: Spread


def measure(rounds: int = ROUNDS, values: int = VALUES) -> list[Row]:
    """Measure each step with new objects in each round."""
    texts = [f"{_WORDS[at % len(_WORDS)]} {at // len(_WORDS)}".encode() for at in range(values)]
    rows: dict[str, list[tuple[float, float]]] = {"compile": [], "occur_in": [], "clean": []}
    for round_ in range(rounds):
        objects = [_NAMING | {0x00100020: b"PID-%d-%05d" % (round_, at)} for at in range(values // 10)]
        rows["compile"].append(_twice(_compiled, objects))
        known = KnownValues.of_dataset(objects[0])
        rows["occur_in"].append(_twice(known.occur_in, texts))
        cleaner = Cleaner(known)
        rows["clean"].append(_twice(lambda text, cleaner=cleaner: cleaner.clean(text, "LO"), texts))
    return [
        Row(what, spread(first for first, _ in found), spread(again for _, again in found))
        for what, found in rows.items()
    ]


def _compiled(naming: Mapping[int, bytes]) -> KnownValues:
    return KnownValues.of_dataset(naming)


def _twice(call: Callable[[Any], object], over: Iterable[Any]) -> tuple[float, float]:
    values = list(over)
    took = []
    for _ in range(2):
        began = time.process_time()
        for value in values:
            call(value)
        took.append((time.process_time() - began) / len(values) * 1e6)
    return took[0], took[1]


def markdown(rows: list[Row]) -> str:
    """Give the table."""
    return table(
        ["Step", "µs, first", "µs, again"], [[row.what, ranged(row.first), ranged(row.again)] for row in rows]
    )
