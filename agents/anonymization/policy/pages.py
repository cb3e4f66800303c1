"""Writes what is made from the code of policies: ``python -m agents.anonymization.policy.pages [--check]``.

The JSON Schema, and the tables between the marks of ``docs/policies.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import inspect

from agents.anonymization.policy import schema
from agents.anonymization.policy.describing import CODES, OPTIONS, OUTCOMES, changes, counted, outcomes
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.ready import POLICIES
from agents.anonymization.standard.codes import OPTION_CODES

SCHEMA = Path(__file__).parent / "policy.schema.json"
PAGE = Path(__file__).parents[3] / "docs" / "policies.md"


def tables() -> dict[str, str]:
    """Give the page's tables by their marks."""
    return {"fields": _fields(), "options": _options(), "ready": _ready(), "codes": _codes()}


def rendered(page: str) -> str:
    """Put the tables between their marks.

    Raises
    ------
    ValueError
        When the page lacks a mark.
    """
    for name, table in tables().items():
        begin, end = f"<!-- {name}: made from the code -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"{PAGE.name} has no place for {name}")
        page = f"{before}{begin}{table}\n{end}{after}"
    return page


def drift() -> list[str]:
    """Name the files that differ from the code."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    current = {
        SCHEMA: SCHEMA.is_file() and SCHEMA.read_bytes() == schema.encoded(),
        PAGE: bool(page) and rendered(page) == page,
    }
    return [file.name for file, same in current.items() if not same]


def write() -> None:
    """Write both."""
    SCHEMA.write_bytes(schema.encoded())
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write or check; 1 when a file has drifted."""
    parser = argparse.ArgumentParser(prog="python -m agents.anonymization.policy.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file has drifted")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    for name in (drifted := drift()):
        sys.stderr.write(
            f"{name} has drifted: run `python -m agents.anonymization.policy.pages`, commit it\n"
        )
    return 1 if drifted else 0


def _table(head: list[str], rows: Iterator[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _fields() -> str:
    kind = inspect.type_info(Policy)
    return _table(["field", "takes", "when left out"], _rows(kind, ""))


def _rows(kind: inspect.Type, path: str) -> Iterator[list[str]]:
    for field in kind.fields if isinstance(kind, inspect.StructType) else ():
        name, inner = f"{path}{field.name}", field.type
        takes = ""
        while isinstance(inner, inspect.Metadata):
            takes, inner = takes or (inner.extra_json_schema or {}).get("description", ""), inner.type
        yield [f"`{name}`", takes, _default(field)]
        if isinstance(inner, inspect.DictType):
            yield from _rows(inner.value_type, f"{name}.NAME.")
        elif isinstance(inner, inspect.ListType):
            yield from _rows(inner.item_type, f"{name}[].")
        else:
            yield from _rows(inner, f"{name}.")


def _default(field: inspect.Field) -> str:
    if field.required:
        return "must be given"
    return f"`{field.default}`" if isinstance(field.default, int | str) and field.default else ""


def _options() -> str:
    head = ["option", "PS3.15", "CID 7050", "kept", "moved", "cleaned", "what it does"]
    return _table(
        head,
        (
            [
                f"`{option}`",
                words.section,
                OPTION_CODES[option].value,
                *(str(counted(changes(option))[what] or "") for what in ("kept", "moved", "cleaned")),
                words.says,
            ]
            for option, words in OPTIONS.items()
        ),
    )


def _ready() -> str:
    def rows() -> Iterator[list[str]]:
        for option in OPTIONS:
            yield [f"`{option}`", *("yes" if option in one.options else "" for one in POLICIES.values())]
        yield ["exceptions", *(str(len(one.attributes) or "") for one in POLICIES.values())]
        for what in OUTCOMES:
            yield [f"attributes {what}", *(str(outcomes(one)[what] or "") for one in POLICIES.values())]

    return _table(["", *(f"`{name}`" for name in POLICIES)], rows())


def _codes() -> str:
    return _table(["code", "says"], ([f"`{code}`", words] for code, words in CODES.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
