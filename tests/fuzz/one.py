"""``python -m tests.fuzz.one TARGET [libFuzzer's arguments]``: fuzz one target in this process."""

from __future__ import annotations

import resource
import sys

import atheris

INSTRUMENTED = ["gateway", "pynetdicom.pdu", "pynetdicom.pdu_items", "tests.fuzz.broken"]
"""What coverage is told of."""
MOST_KB = 64 * 1024
"""What an input may add to the highest memory that there was, KiB."""


def main() -> None:
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.broken import BROKEN  # noqa: PLC0415 - what is imported here is instrumented
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    target = (TARGETS | BROKEN)[sys.argv[1]]

    def run(data: bytes) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        target(data)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown <= MOST_KB, f"{grown} KiB more memory"

    # libFuzzer starts itself anew to merge corpora, by a shell, and by this name.
    atheris.Setup([f"{sys.executable} -m tests.fuzz.one {sys.argv[1]}", *sys.argv[2:]], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
