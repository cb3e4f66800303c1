"""Writes ``docs/events.md`` from the catalogue: ``python -m schemas.document [--check]``."""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path

from schemas.catalogue import AGENTS, DAY, HOUR, TOPICS, TYPES, Topic

EVENTS = Path(__file__).parent.parent / "docs" / "events.md"

KEYS = {
    "chips.pacs.v1": "series stream; refusals and tests: their source; counts of associations: the project",
    "chips.image.v1": "series stream",
    "chips.command.v1": "target stream",
    "chips.reply.v1": "who asked",
    "chips.feed.v1": "feed stream",
    "chips.job.v1": "job stream",
    "chips.result.v1": "series stream",
    "chips.live.v1": "series stream; sources: their own",
    **{f"chips.dlq.{agent}.v1": "the message's own" for agent in AGENTS},
}
"""What the messages of each topic are keyed by: one key is one order."""

_HEAD = """# Topics and event types

Made from `schemas/catalogue.py` by `python -m schemas.document`; a test sees when it has drifted. Each event
is a CloudEvent 1.0 in structured JSON of at most 64 KiB; `schemas/json` has the JSON Schema of each type,
`schemas/examples` two examples from each release, with everything and with the least. A stream is
`feed/PROJECT/ID`, `job/PROJECT/ID` or `series/PROJECT/KEY`.

Within a major version only optional fields come and go. Readers ignore what they do not know.

A *sealed text* is `sealed:1:` and base64url without padding: what a person wrote, encrypted under a key that
an erasure of the person destroys. Only the page's server can seal and open it: comment by its HTTP API, not
by a command of your own. Events of release 0.1 may hold a clear text in its place.
"""


def rendered() -> str:
    """Give the document's text."""
    lines = [_HEAD, "## Topics", ""]
    lines += ["| topic | zone | key | partitions | kept | durable |", "|---|---|---|---|---|---|"]
    lines += [
        f"| `{topic.name}` | {topic.zone} | {KEYS[topic.name]} | {topic.partitions} | {_kept(topic)} "
        f"| {'yes' if topic.durable else 'no'} |"
        for topic in TOPICS.values()
    ]
    for topic in TOPICS.values():
        rows = [
            f"| `{name}` | {_summary(struct)} |" for name, (struct, where) in TYPES.items() if where == topic
        ]
        if rows:
            lines += ["", f"## {topic.name}", "", "| type | says |", "|---|---|", *rows]
    lines += ["", "## Dead letters", "", _DEAD]
    return "\n".join(lines) + "\n"


_DEAD = """A `chips.dlq.*` topic holds original messages, bytes and headers untouched, followed by headers
`chips-dlq-*` that say where each came from and why it was given up. `chips replay dlq` reads and releases
them."""


def _summary(struct: type) -> str:
    return " ".join((inspect.getdoc(struct) or "").split("\n\n")[0].split())


def _kept(topic: Topic) -> str:
    for unit, seconds in (("d", DAY), ("h", HOUR)):
        if topic.retention_s % seconds == 0:
            return f"{topic.retention_s // seconds} {unit}"
    return f"{topic.retention_s} s"


def main(arguments: list[str]) -> int:
    """Write or check; 1 when the document has drifted."""
    parser = argparse.ArgumentParser(prog="python -m schemas.document", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when it has drifted")
    text = rendered()
    if not parser.parse_args(arguments).check:
        EVENTS.parent.mkdir(exist_ok=True)
        EVENTS.write_text(text, encoding="utf-8")
        return 0
    if not EVENTS.is_file() or EVENTS.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{EVENTS.name} has drifted: run `python -m schemas.document`, commit the result\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
