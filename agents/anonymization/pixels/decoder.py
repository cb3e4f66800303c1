"""Asks the process that decodes foreign pictures, and survives it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

from agents.anonymization.pixels.decoding import Request, answer, send

SECONDS_FOR_A_FRAME = 60.0
"""Until a picture that is not decoded never will be."""


class Undecoded(Exception):  # noqa: N818 - the caller decides what it means
    """The process ended, or took too long."""


class Decoder:
    """One object's process: started when a picture is to be decoded, and gone with the object.

    No other object's pictures are in it, so that one can't see or change another's.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def decode(self, request: Request, image: bytes, most: int) -> bytes:
        """Give the samples of a picture, by pixel, little endian.

        Parameters
        ----------
        most
            Bytes that they may have.

        Raises
        ------
        Undecoded
            When there are none.
        """
        if self._process is None:
            self._process = _started()
        process = self._process
        late = threading.Timer(SECONDS_FOR_A_FRAME, process.kill)
        late.start()
        try:
            if process.stdin is None or process.stdout is None:
                raise Undecoded
            send(process.stdin, request, image)
            found = answer(process.stdout, most)
        except OSError as error:
            raise Undecoded from error
        finally:
            late.cancel()
        if found is None:
            raise Undecoded
        return found


def _started() -> subprocess.Popen[bytes]:
    # What the decoders print is about bytes that nobody can act on, and one line of it could fill a log.
    return subprocess.Popen(
        [sys.executable, "-m", "agents.anonymization.pixels.decoding"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"},
        close_fds=True,
    )
