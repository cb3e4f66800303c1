"""Bytes of what comes out, from tokens. Pure but for what it remembers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agents.anonymization.encode import Encoder
from agents.anonymization.fast.runs import Run
from agents.anonymization.fast.scan import Surprise
from agents.anonymization.fast.tallies import Tallies
from agents.anonymization.fast.tokens import Creator, Items, Op, Token
from agents.anonymization.kinds import CHARACTER_SET
from agents.anonymization.outcome import What
from agents.anonymization.policy.rules import PATIENT_ID, PATIENT_NAME
from agents.anonymization.values import Values
from agents.anonymization.verify import has_known_sets
from streams.copying import Span

_REMEMBERED = 4096
"""Values that are remembered: most of a header is the same in each slice of a series."""
_LONGEST = 256
"""Bytes of a value that is remembered."""
_RUNS = 256
"""Runs that are remembered."""
_PRIVATE = "private"


class _Made(NamedTuple):
    """An element: its bytes, its value (None: it does not come out), and the number it counts as."""

    encoded: bytes
    value: bytes | None
    number: int


class _MadeRun(NamedTuple):
    """What comes of a run: its bytes, the numbers that it counts as, and values by tag."""

    encoded: bytes
    numbers: tuple[int, ...]
    written: dict[int, bytes]


class _Reserved(NamedTuple):
    """A creator: where among the parts it stands if its block comes out, and its value."""

    place: int
    value: bytes


class Maker:
    """Makes values of objects that share all that they depend on: rules, patient, what they call people.

    Parameters
    ----------
    values
        Decides what is made of a value.
    encoder
        Writes elements.
    puts
        What is put in at each of `top.BARRIERS`.
    tallies
        Numbers for what is done.
    """

    def __init__(self, values: Values, encoder: Encoder, puts: tuple[bytes, ...], tallies: Tallies) -> None:
        self._values = values
        self._encoder = encoder
        self._puts = puts
        self._tallies = tallies
        self._made: dict[tuple[Op, bytes], _Made] = {}
        self._runs: dict[Run, _MadeRun] = {}

    def data_set(
        self, tokens: Iterable[Token | Run | Span | int], numbers: list[int], written: dict[int, bytes]
    ) -> list[bytes | Span]:
        """Make a data set, given in parts.

        Parameters
        ----------
        numbers, written
            Completed by what is made: what was done, and top-level values by tag.

        Raises
        ------
        Surprise, agents.anonymization.outcome.Refusal
            When the object is none for the fast path.
        """
        parts: list[bytes | Span] = []
        between: list[Token | Run | int] = []
        for token in tokens:
            if isinstance(token, Span):
                parts += self._parts(between, numbers, written)
                parts.append(token)
                between = []
            else:
                between.append(token)
        return parts + self._parts(between, numbers, written)

    def anew(self, token: Token, numbers: list[int], written: dict[int, bytes]) -> bytes:
        """Make what is another thing in each object, and not worth remembering; else as `data_set`."""
        if not isinstance(token, tuple):
            return b"".join(self._parts([token], numbers, written))
        encoded, value, number = self._make(*token)
        numbers.append(number)
        if value is not None:
            written[token[0].tag] = value
        return encoded

    def _parts(
        self, tokens: Iterable[Token | Run | int], numbers: list[int], written: dict[int, bytes]
    ) -> list[bytes]:
        parts: list[bytes] = []
        reserved: dict[int, _Reserved] = {}
        for token in tokens:
            if isinstance(token, tuple):
                parts.append(self._value(token, numbers, written))
            elif isinstance(token, bytes):
                parts.append(token)
            elif isinstance(token, Run):
                encoded, more, values = self._runs.get(token) or self._run(token)
                parts.append(encoded)
                numbers += more
                written.update(values)
            elif isinstance(token, Items):
                items = [b"".join(self._parts(item, numbers, {})) for item in token.items]
                parts.append(self._encoder.sequence(token.tag, items))
            elif isinstance(token, int):
                parts.append(self._puts[token])
            elif isinstance(token, Creator):
                reserved[token.tag] = _Reserved(len(parts), token.value)
                parts.append(b"")
            else:
                parts.append(self._value(token.made, numbers, {}))
                self._reserve(token.creator, parts, reserved[token.creator])
        for tag, (place, _) in reserved.items():
            numbers.append(self._tallies.number(tag, _PRIVATE, "kept" if parts[place] else "removed"))
        return parts

    def _value(self, token: tuple[Op, bytes], numbers: list[int], written: dict[int, bytes]) -> bytes:
        encoded, value, number = self._made.get(token) or self._remembered(token)
        numbers.append(number)
        if value is not None:
            written[token[0].tag] = value
        return encoded

    def _reserve(self, tag: int, parts: list[bytes], creator: _Reserved) -> None:
        """Put a creator into its place, if what was made last came out."""
        if parts[-1] and not parts[creator.place]:
            parts[creator.place] = self._encoder.element(tag, "LO", creator.value.rstrip(b" \0"))

    def _run(self, run: Run) -> _MadeRun:
        numbers, written = list(run.numbers), dict[int, bytes]()
        encoded = b"".join(self._parts(run.tokens, numbers, written))
        if len(self._runs) >= _RUNS:
            self._runs.clear()
        made = self._runs[run] = _MadeRun(encoded, tuple(numbers), written)
        return made

    def _remembered(self, token: tuple[Op, bytes]) -> _Made:
        made = self._make(*token)
        if len(token[1]) <= _LONGEST:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[token] = made
        return made

    def _make(self, op: Op, value: bytes) -> _Made:
        if op.tag == CHARACTER_SET and not has_known_sets(value):
            raise Surprise
        kept = self._values.make(op.decision, op.tag, op.vr, value)
        if kept is None and op.tag in (PATIENT_NAME, PATIENT_ID):
            raise Surprise
        what: What = "removed" if kept is None else "kept" if kept == value else "replaced"
        encoded = b"" if kept is None else self._encoder.element(op.tag, op.vr, kept)
        return _Made(encoded, kept, self._tallies.number(op.tag, op.decision.reason, what))
