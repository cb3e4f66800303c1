"""Passcodes of user identities, as scrypt (RFC 7914) makes them unreadable. Pure but for `Passcode.new`."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

_N_LOG, _R, _P = 14, 8, 5
"""16 MiB and a fifth of a second, as many guesses a second as OWASP lets an attacker have."""
_LARGEST_N_LOG, _LARGEST_R, _LARGEST_P = 17, 8, 16
_SALT_BYTES, _HASH_BYTES = 16, 32
_MEMORY = 256 * 1024 * 1024


class Passcode(NamedTuple):
    """What is kept of a passcode."""

    n_log: int
    r: int
    p: int
    salt: bytes
    hash: bytes

    @classmethod
    def new(cls, passcode: bytes) -> Passcode:
        """Make it, with a salt of its own."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(_N_LOG, _R, _P, salt, _scrypt(passcode, salt, _N_LOG, _R, _P))

    @classmethod
    def parse(cls, text: str) -> Passcode:
        """Read one; ValueError when it is none, or asks for too much of the machine."""
        kind, *parts = text.split(":")
        if kind != "scrypt" or len(parts) != len(cls._fields):
            raise ValueError("not scrypt:N:r:p:salt:hash")
        n_log, r, p = (int(part) for part in parts[:3])
        if not (1 <= n_log <= _LARGEST_N_LOG and 1 <= r <= _LARGEST_R and 1 <= p <= _LARGEST_P):
            raise ValueError("parameters out of bounds")
        salt, digest = (bytes.fromhex(part) for part in parts[3:])
        if len(digest) != _HASH_BYTES:
            raise ValueError("a hash of another length")
        return cls(n_log, r, p, salt, digest)

    def fits(self, passcode: bytes) -> bool:
        """Tell whether it is this one; takes as long whatever the answer."""
        return hmac.compare_digest(self.hash, _scrypt(passcode, self.salt, self.n_log, self.r, self.p))

    def __str__(self) -> str:
        """Write it for the file of sources."""
        return f"scrypt:{self.n_log}:{self.r}:{self.p}:{self.salt.hex()}:{self.hash.hex()}"

    def __repr__(self) -> str:
        """Keep it out of logs and tracebacks."""
        return "Passcode(...)"


def _scrypt(passcode: bytes, salt: bytes, n_log: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(passcode, salt=salt, n=1 << n_log, r=r, p=p, maxmem=_MEMORY, dklen=_HASH_BYTES)
