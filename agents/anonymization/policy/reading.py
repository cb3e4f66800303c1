"""From a document, YAML or JSON, to a policy that can be followed, or to everything that is wrong with it."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path

import msgspec
from msgspec import inspect

from agents.anonymization.policy import shape
from agents.anonymization.policy.conflicts import conflicts
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.meaning import meaning, name_of_tag, tag_of_name
from agents.anonymization.policy.parsing import MAX_BYTES, parse
from agents.anonymization.policy.problems import Problem, WrongPolicy
from streams.errors import Rejected

FORMAT = 1
MOST_PROBLEMS = 50
"""Told at once; looking for what may have been meant takes a while for each."""
SUFFIXES = (".yaml", ".yml", ".json")


def read(content: bytes, *, as_json: bool = False) -> Policy:
    """Read a document. Pure.

    Attributes are given the names of the dictionary, so that a policy has one digest, however it names them.

    Raises
    ------
    agents.anonymization.policy.problems.WrongPolicy
        When it can't be followed; names every place (`MOST_PROBLEMS` at most) and says what to do.
    """
    value, lines = parse(content, as_json=as_json)
    if value is None:
        raise WrongPolicy([Problem((), "The document is empty: give at least a name and a version.")])
    newer = _newer(value)
    if newer:
        raise WrongPolicy([newer], lines)
    wrong = list(islice(shape.problems(value, inspect.type_info(Policy)), MOST_PROBLEMS))
    if not wrong:
        policy = msgspec.convert(value, Policy)
        wrong = list(islice(chain(conflicts(policy), meaning(policy)), MOST_PROBLEMS))
    if wrong:
        raise WrongPolicy(wrong, lines)
    return _canonical(policy)


def read_file(path: Path) -> Policy:
    """Read a document from a file; JSON when its name ends in .json, else YAML.

    Raises
    ------
    streams.errors.Rejected
        When there is no such file, or it can't be read; a `WrongPolicy` when it can't be followed.
    """
    try:
        if not path.is_file():
            raise Rejected(f"There is no policy document {path}.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Rejected(f"The policy document {path} can't be read: {error.strerror}.") from error
    return read(content, as_json=path.suffix.lower() == ".json")


def _newer(value: object) -> Problem | None:
    given = value.get("format") if isinstance(value, dict) else None
    if isinstance(given, int) and given > FORMAT:
        return Problem(("format",), f"it is a newer CHIPS's: this one reads format {FORMAT}.")
    return None


def _canonical(policy: Policy) -> Policy:
    return msgspec.structs.replace(
        policy,
        attributes={
            name_of_tag(tag_of_name(name) or 0): override for name, override in policy.attributes.items()
        },
        safe_private={_private(name): why for name, why in policy.safe_private.items()},
    )


def _private(name: str) -> str:
    creator, _, numbers = name.rpartition(":")
    return f"{creator}:{numbers[:5].upper()}xx{numbers[7:].upper()}"
