"""``python -m tests.data.make RELEASE``: keep a release's data directory, to be opened by later ones.

A running CHIPS receives a phantom, measures it, is commented, and is stopped; what it leaves is packed. Run
once, by the release that the folder is named after: an archive that is there is never written again.
"""

from __future__ import annotations

import argparse
import tarfile
import tempfile
from pathlib import Path

from uuid_utils import uuid7

from tests.phantoms import write_studies
from tests.stack import Stack, running, wait_quiescent

FOLDER = Path(__file__).parent
SEED, IMAGES, LATE = 101, 12, 1
KEPT = ("data", "vault", "blobs")
COMMENT = "Kept from the first release"
TITLE = "Phantom of the first release"


def studies(folder: Path) -> tuple[list[Path], list[Path]]:
    """Write the phantom; give the images that the release got, and those that come late."""
    files = write_studies(folder, seed=SEED, images=IMAGES, series=1)
    return files[:-LATE], files[-LATE:]


def make(archive: Path) -> None:
    """Run this CHIPS and pack what it leaves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        early, late = studies(folder / "studies")
        for file in late:
            file.unlink()
        stack = Stack(folder / "chips", {"CHIPS_ISOLATION": "subprocess"})
        with running(stack):
            stack.chips("send", str(folder / "studies"), f"127.0.0.1:{stack.dicom_port}")
            session = stack.session()
            stack.until(lambda: any(card["measured"] for card in session.cards()), 90, "a measured card")
            wait_quiescent(stack, 60)
            (card,) = session.cards()
            assert card["anonymized"] == len(early)
            for kind, body in (
                ("rename", {"title": TITLE}),
                ("post_comment", {"comment": str(uuid7()), "text": COMMENT}),
            ):
                session.post(
                    "/api/commands", {"id": str(uuid7()), "feed": card["feed"], "type": kind, "body": body}
                )
            wait_quiescent(stack, 60)
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "x:gz", compresslevel=9) as packed:
            for part in KEPT:
                packed.add(stack.folder / part, part, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (entry.isfile() or entry.isdir()) or entry.name.startswith("data/run/"):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.data.make")
    parser.add_argument("release")
    archive = FOLDER / parser.parse_args().release / "data.tar.gz"
    make(archive)
    print(f"{archive}: {archive.stat().st_size} bytes")


if __name__ == "__main__":
    main()
