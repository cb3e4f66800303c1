"""``python -m deploy.engines.prepare``: fetch and make what the engines start from, ahead of the tests.

A test's time limit is no place for a download.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.engines.docker_engine import base_tarball
from deploy.engines.pair import Engines
from deploy.exits import Exit, told


def main() -> int:
    """Fetch the jars of both engines and, as root, make the base image's root; print what is wrong."""

    def work() -> int:
        with TemporaryDirectory() as nowhere:
            Engines(Path(nowhere)).fetch()
        if os.geteuid() == 0:
            base_tarball()
        return Exit.OK

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
