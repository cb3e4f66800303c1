"""What a policy does to a file, as a table that is read on narrow terminals and wide ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from agents.anonymization.policy.describing import CODES, OPTIONS, because, title
from agents.anonymization.trial import Line, Trial
from deploy.terminal import console, say

STYLES = {"kept": "green", "replaced": "yellow", "emptied": "red", "removed": "red", "added": "cyan"}
COLUMNS = {"attribute": 10, "before": 6, "after": 6, "what": None, "why": 7}
"""Of the table of a trial, with their parts of the width."""
WORD = 9
"""Characters of the column without a part: the longest word in it."""
WIDEST = 40
"""Characters of a value in the table; JSON has more."""


def print_trial(found: Trial, *, values: bool) -> None:
    """Print what came of a file, an attribute a row, or why it stays in."""
    if found.outcome == "quarantined":
        say(f"Policy {found.policy}: the file stays in quarantine ({found.reason}).")
        say(found.message)
        if found.advice:
            say(found.advice)
        return
    table = Table(title=f"Policy {found.policy}", title_justify="left", expand=True, box=box.SIMPLE_HEAD)
    for name, ratio in COLUMNS.items():
        if values or name not in ("before", "after"):
            table.add_column(name, overflow="fold", ratio=ratio, width=WORD if not ratio else None)
    for line, times in _grouped(found.lines):
        texts = _before_and_after(line) if values else []
        creator = f" [{line.creator}]" if line.creator else ""
        name = f"{line.path}{creator}{f' ({times} times)' if times > 1 else ''}"
        table.add_row(Text(name), *texts, Text(line.what, style=STYLES[line.done]), Text(_brief(line.reason)))
    console.print(table)
    for brief, words in _explained(found.lines):
        say(f"{brief:>8}  {words}")
    say(f"{len(found.lines)} attributes: {counted(Counter(line.done for line in found.lines))}.")


def _before_and_after(line: Line) -> list[Text]:
    """Give both values; one that was kept is not written twice."""
    same = line.after and line.before == line.after
    return [Text(_short(line.before)), Text("the same", style="dim") if same else Text(_short(line.after))]


def _brief(reason: str) -> str:
    """Name an option in a reason by its section; `_explained` has the words."""
    for option, words in OPTIONS.items():
        reason = reason.replace(because(f"option {option}"), f"PS3.15 {words.section}")
    return reason


def _explained(lines: list[Line]) -> Iterator[tuple[str, str]]:
    """Give the sections and codes that stand in reasons, and what they say."""
    reasons = {line.reason for line in lines}
    for option, words in OPTIONS.items():
        if any(because(f"option {option}") in reason for reason in reasons):
            yield words.section, title(option)
    for code, says in CODES.items():
        if f"Table E.1-1: {code}" in reasons:
            yield code, says


def _grouped(lines: list[Line]) -> list[tuple[Line, int]]:
    """Put lines of one attribute in many items together, when the same came of all; show the first."""
    first: dict[tuple[str, str, str], int] = {}
    found: list[tuple[Line, int]] = []
    for line in lines:
        key = _without_numbers(line.path), line.what, line.reason
        if key in first:
            shown, times = found[first[key]]
            found[first[key]] = shown, times + 1
        else:
            first[key] = len(found)
            found.append((line, 1))
    return found


def _without_numbers(path: str) -> str:
    return ".".join(part.partition("[")[0] for part in path.split("."))


def _short(value: str | None) -> str:
    if value is None:
        return ""
    return value if len(value) <= WIDEST else f"{value[: WIDEST - 1]}…"


def counted(counts: Mapping[str, int]) -> str:
    """Name what has a number, with it."""
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
