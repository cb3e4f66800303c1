"""Writes the contract's generated files: ``python -m schemas.jsonschema [--check] [--examples RELEASE]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from schemas.catalogue import TYPES
from schemas.documents import documents, encoded, required
from schemas.envelope import encode
from schemas.samples import least, sample

FOLDER = Path(__file__).parent
SCHEMAS = FOLDER / "json"
EXAMPLES = FOLDER / "examples"

LEAST = ".least"
"""What the name of an example with the required fields alone ends with."""

REQUIRED = "required.json"
"""Beside a release's examples: the fields that it required. No later one of its major requires more."""


def drift() -> list[str]:
    """Name the files that are missing, differ from the structs, or belong to no type any more."""
    wanted = {f"{name}.json": encoded(document) for name, document in documents().items()}
    there = {file.name: file.read_bytes() for file in SCHEMAS.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def write() -> None:
    """Write all schemas, and take out those of no type."""
    SCHEMAS.mkdir(exist_ok=True)
    wanted = {f"{name}.json": encoded(document) for name, document in documents().items()}
    for file in SCHEMAS.glob("*.json"):
        if file.name not in wanted:
            file.unlink()
    for name, content in wanted.items():
        (SCHEMAS / name).write_bytes(content)


def write_examples(release: str) -> list[str]:
    """Write the examples of a release for types that have none there; return their names.

    Each type has one with everything and one with the least; beside them lies what was required.
    """
    folder = EXAMPLES / release
    folder.mkdir(parents=True, exist_ok=True)
    new = [name for name in TYPES if not (folder / f"{name}.json").exists()]
    for name in new:
        for suffix, event in (("", sample(name)), (LEAST, least(name))):
            example = msgspec.json.format(encode(event), indent=2)
            (folder / f"{name}{suffix}.json").write_bytes(example + b"\n")
    kept = folder / REQUIRED
    before = msgspec.json.decode(kept.read_bytes()) if kept.exists() else {}
    kept.write_bytes(encoded(required() | before))
    return new


def main(arguments: list[str]) -> int:
    """Write or check; 1 when files have drifted from the structs."""
    parser = argparse.ArgumentParser(prog="python -m schemas.jsonschema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file has drifted")
    parser.add_argument("--examples", metavar="RELEASE", help="add examples for types that have none there")
    options = parser.parse_args(arguments)
    if options.examples:
        for name in write_examples(options.examples):
            sys.stdout.write(f"example {options.examples}/{name}.json\n")
    if not options.check:
        write()
        return 0
    for name in (drifted := drift()):
        sys.stderr.write(f"schemas/json/{name} has drifted: run `python -m schemas.jsonschema`, commit it\n")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
