"""The file of sources, read. An adapter."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from gateway.sources.document import Document
from gateway.sources.rules import Rules, compiled
from streams.errors import Misconfigured

_MOST_BYTES = 4 * 1024 * 1024


def load(file: Path) -> Rules:
    """Read rules.

    Raises
    ------
    streams.errors.Misconfigured
        When the file can't be read or followed; names the place, and no passcode.
    """
    return parsed(read(file), file)


def read(file: Path) -> bytes:
    """Read a file's content; raises `Misconfigured`."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Misconfigured(f"{file} can't be read: {error.strerror}. Correct CHIPS_SOURCES_FILE.") from error
    if len(content) > _MOST_BYTES:
        raise Misconfigured(f"{file} is far too large for a file of sources.")
    return content


def parsed(content: bytes, file: Path) -> Rules:
    """Make rules of a file's content; raises `Misconfigured`."""
    try:
        return compiled(msgspec.convert(tomllib.loads(content.decode()), Document))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Misconfigured(f"{file} is not TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{file}: {error}.") from error
    except Misconfigured as error:
        raise Misconfigured(f"{file}: {error}") from error
