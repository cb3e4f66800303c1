"""The manifest's lines: what became of each file. Types and their JSON, pure.

A line names originals and links them to pseudonyms: it identifies, as the originals do.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, NamedTuple

import msgspec

from schemas.identity import Digest

Result = Literal["anonymized", "duplicate", "quarantined", "left-out", "failed"]
"""What became of a file.

* anonymized: `output` is there;
* duplicate: the same object as `of`, whose output stands for both;
* quarantined: an object that must not get out;
* left-out: no object;
* failed: not accounted for, to be tried again.
"""

_UID = r"[0-9]+(\.[0-9]+)*"
OutputPath = Annotated[
    str, msgspec.Meta(pattern=rf"^[0-9A-Za-z-]{{1,64}}/{_UID}/{_UID}/{_UID}\.dcm$(?!\n)", max_length=300)
]
"""patient/study/series/instance.dcm, below OUT. A manifest can't name anything else to be removed."""


class Stamp(NamedTuple):
    """What tells a file from itself once it is changed: size in bytes, time of the last change in ns."""

    bytes: int
    modified_ns: int


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What became of one file.

    Attributes
    ----------
    input
        Relative to IN, with ``/``. Bytes that are no UTF-8 are written as JSON escapes of lone surrogates
        (PEP 383).
    bytes, modified_ns
        Of the input when it was read.
    output, output_bytes, sha256
        Of the output, relative to OUT.
    of
        The input whose output stands, of a duplicate or a conflict.
    reason, message
        Why it did not come out: a code and its words, without values of the object.
    tools
        What decided beside the policy: text detector, decoder, encoder, each with its version.
    policy, key, known, software
        What the result depends on beside the input: the policy's label, keyed digests that say nothing else
        of the key and of what is known of the study, and a digest of the versions of all tools, where one of
        them decided or can have decided.
    """

    input: str
    bytes: int = 0
    modified_ns: int = 0
    result: Result
    output: OutputPath | None = None
    output_bytes: int = 0
    sha256: Digest | None = None
    of: str | None = None
    reason: str | None = None
    message: str | None = None
    tools: tuple[str, ...] = ()
    policy: str
    key: str
    known: str | None = None
    software: str | None = None

    @property
    def stamp(self) -> Stamp:
        """The input's stamp."""
        return Stamp(self.bytes, self.modified_ns)


def as_line(entry: Entry) -> bytes:
    """Give the line of an entry."""
    fields = msgspec.to_builtins(entry)
    try:
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # a name that is no UTF-8
        return json.dumps(fields).encode() + b"\n"


def from_line(line: bytes) -> Entry:
    """Read a line.

    Raises
    ------
    ValueError
        When it is no line of a manifest.
    """
    try:
        return msgspec.convert(json.loads(line), Entry, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
