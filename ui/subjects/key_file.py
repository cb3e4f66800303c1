"""The file of the key that wraps the subjects' keys. An adapter to one small file and its fingerprint.

The file is made when the first page of a store starts, readable by its owner alone. The store keeps its
fingerprint, so that a page with another file, or without one, refuses to start instead of losing texts.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from streams.errors import Conflict, Damaged, Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.api import Records
from ui.subjects.sealing import KEY_BYTES, new_key

KIND, KEY = "subject_keys", "file"
"""The record of the fingerprint."""


def file_of(settings: Settings) -> Path:
    """Give the file's path."""
    return Path(settings.subject_keys_file or Path(settings.data) / "subjects.key")


async def wrapping_key(file: Path, records: Records) -> bytes:
    """Give the key of the file, made with the first use of a store.

    Raises
    ------
    streams.errors.Misconfigured
        When the file is missing, open to others or not the one of this store; says what to do.
    streams.errors.Damaged
        When what it holds is no key.
    streams.errors.Unavailable
        When the file or the store can't be used now.
    """
    known = await records.get(KIND, KEY)
    key = await asyncio.to_thread(_read, file)
    if key is None:
        if known is not None:
            raise Misconfigured(
                f"{file} is missing, and the texts of this store are sealed with it: restore it from a "
                "backup, or copy it from another machine that serves the page."
            )
        key = await asyncio.to_thread(_make, file)
    fingerprint = hashlib.sha256(b"chips/1/subject-keys" + key).hexdigest()[:16].encode()
    if known is None:
        with contextlib.suppress(Conflict):  # another page was first: it decides
            await records.put(KIND, KEY, fingerprint, expected=0)
        known = await records.get(KIND, KEY)
    if known is None or known.body != fingerprint:
        raise Misconfigured(
            f"{file} is not the key file of this store: copy the one that the first page made to every "
            "machine that serves the page, and name it by CHIPS_SUBJECT_KEYS_FILE."
        )
    return key


def _read(file: Path) -> bytes | None:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{file} can't be read: {error.strerror}. Check its owner and rights.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise Misconfigured(f"Others can read {file}: chmod 600 it.")
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Damaged(f"{file} is no key file ({2 * KEY_BYTES} hex digits): restore it from a backup.")
    return key


def _make(file: Path) -> bytes:
    """Put a new key under the name, whole and durable, unless another was first; give what is there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # 0600
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(new_key().hex().encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(partial, file)
        finally:
            Path(partial).unlink()
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Unavailable(f"{file} can't be made: {error.strerror}. Check the folder's rights.") from error
    made = _read(file)
    if made is None:
        raise Unavailable(f"{file} was taken away while it was made: try again")
    return made
