"""``python -m tests.hostile.page > docs/hostile-input.md``: the table as a page."""

from __future__ import annotations

import sys

from tests.hostile.case import GROUPS
from tests.hostile.table import CASES, ELSEWHERE

_HEAD = """# Bad input at the receiving door

Made of `tests/hostile` by `python -m tests.hostile.page`; `tests/integration/test_hostile.py` sends each
input to a running gateway of one process and of two workers. Meanwhile another association is open, which
stores an image afterwards. An answer comes within 5 s; the gateway, and each of its processes, goes on; it
takes less than 64 MB more; nothing is written outside of the vault, nothing is left of what was not kept,
and no log line holds a value. An association that stays open answers an echo and is released.

Answers are A-ASSOCIATE-AC (accepted), A-ASSOCIATE-RJ (rejected RESULT/SOURCE/REASON, PS3.8, table 9-21),
A-ABORT (aborted SOURCE/REASON, PS3.8, table 9-26), A-RELEASE-RP (released), the status of a DIMSE response
(`gateway/refusals.py` says which means what), or the end of the connection (closed)."""


def page() -> str:
    """Give the page."""
    parts = [_HEAD]
    for group, title in GROUPS.items():
        parts += [f"\n## {group}. {title}\n", "| input | answer |", "|---|---|"]
        parts += [f"| {case.name} | {', '.join(case.answers)} |" for case in CASES if case.group == group]
    parts += ["\n## Shown by other tests\n", "| group | input | answer | test |", "|---|---|---|---|"]
    parts += [f"| {one.group} | {one.name} | {one.answer} | `{one.test}` |" for one in ELSEWHERE]
    parts.append(
        "\nGroup 25 (STOW-RS) and the rest of 26 (what a C-GET, C-MOVE or C-FIND gives back) ask for services"
        " that CHIPS does not have."
    )
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
