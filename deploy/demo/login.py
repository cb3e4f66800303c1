"""The demo's first login, which a kept folder keeps."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import NamedTuple

from deploy.users import made_up_password, make
from streams.errors import Rejected
from streams.settings import Settings

NAME = "demo"


class Login(NamedTuple):
    """An account; the password is None when only its maker knows it."""

    name: str
    password: str | None

    def __str__(self) -> str:
        told = f"password {self.password}" if self.password else "with the password that it was made with"
        return f"login {self.name}, {told}"


async def ensure(settings: Settings, folder: Path) -> Login:
    """Give the folder's login, made at its first demo; its file is the owner's alone."""
    file = folder / "login"
    kept = await asyncio.to_thread(_kept, file)
    password = kept or made_up_password()
    if kept is None:  # before the account: a crash in between must not leave one that nobody can enter
        await asyncio.to_thread(_keep, file, password)
    try:
        await make(settings, NAME, "Demo", password)
    except Rejected:  # the account is there
        if kept is None:
            await asyncio.to_thread(file.unlink)
        return Login(NAME, kept)
    return Login(NAME, password)


def _kept(file: Path) -> str | None:
    return file.read_text(encoding="ascii").strip() if file.exists() else None


def _keep(file: Path, password: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(password + "\n")
