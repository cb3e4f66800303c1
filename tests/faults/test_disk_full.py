"""A full disk makes the sender, or the work, wait; nothing partial remains, and it goes on with room."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dcmtk import dcmtk
from tests.faults.accounts import announce_sent, assert_kept_once, assert_shown_once, expected
from tests.phantoms import write_studies
from tests.stack import Stack, running, wait_quiescent
from tests.tiers import TIERS, tier

EACH = 20
DISK_BYTES = 16 * 2**20
ROOM_BYTES = 64 * 2**10
"""What is left free of a full disk: room for some images of a study, not for all."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of `DISK_BYTES`. Needs root, as CI has."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)], check=True, timeout=30
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Fill a disk but for `ROOM_BYTES`."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    with filler.open("r+b") as file:
        file.truncate(filler.stat().st_size - ROOM_BYTES)
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture(scope="module", params=TIERS)
def stack(request, tmp_path_factory):
    """A CHIPS whose vault and blobs lie on small disks of their own."""
    folder = tmp_path_factory.mktemp(f"full-{request.param}")
    with (
        tier(request.param, folder) as engines,
        small_disk(folder / "vault-disk") as vault,
        small_disk(folder / "blobs-disk") as blobs,
    ):
        settings = {
            "CHIPS_VAULT": str(vault / "vault"),
            "CHIPS_BLOBS": str(blobs / "blobs"),
            "CHIPS_DISK_RESERVE_MB": "0",
            "CHIPS_ISOLATION": "subprocess",
        }
        with running(Stack(folder / "chips", {**engines.environment, **settings})) as stack:
            yield stack


@pytest.fixture(scope="module")
def sent(stack) -> list[Path]:
    """What this stack was sent, by all tests."""
    return []


def study(stack: Stack, number: int) -> list[Path]:
    return sorted(write_studies(stack.folder / f"study-{number}", seed=number, images=EACH, series=1))


def storescu(stack: Stack, files: list[Path]) -> list[str]:
    """Send with dcmtk; give what it heard for each file."""
    done = subprocess.run(
        [
            dcmtk("storescu"),
            "-v",
            "--no-halt",
            "-aec",
            "CHIPS",
            "127.0.0.1",
            str(stack.dicom_port),
            *map(str, files),
        ],
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )
    heard = re.findall(r"Received Store Response \((.*)\)", done.stdout + done.stderr)
    assert len(heard) == len(files), done.stderr
    return heard


def kept(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def assert_all_there(stack: Stack, files: list[Path]) -> None:
    """Wait until all is done; compare what was sent with what is kept and shown, each image once."""
    wanted = expected(stack, files)

    def shown() -> bool:
        return sum(card["anonymized"] for card in stack.session().cards()) >= len(files)

    asyncio.run(announce_sent(stack, wanted))
    stack.until(shown, 120, "every image on its card")
    wait_quiescent(stack, 60)
    asyncio.run(assert_kept_once(stack, wanted))
    assert_shown_once(stack, wanted)


def test_a_full_vault_is_out_of_resources_until_there_is_room(stack, sent):
    vault = stack.settings.path("vault")
    first, second = study(stack, 1), study(stack, 2)
    assert set(storescu(stack, first)) == {"Success"}
    with full(vault.parent):
        heard = storescu(stack, second)
        assert set(heard) == {"Success", "Refused: OutOfResources"}
        assert kept(vault / "incoming") == []
        # Originals of what was acknowledged, and no other.
        assert len(kept(vault / "objects")) == EACH + heard.count("Success")
        came = [file for file, said in zip(second, heard, strict=True) if said == "Success"]
        sent += [*first, *came]
        assert_all_there(stack, sent)
    late = [file for file in second if file not in came]
    assert set(storescu(stack, late)) == {"Success"}
    sent += late
    assert_all_there(stack, sent)


def test_full_blobs_make_the_work_wait_and_lose_nothing(stack, sent):
    blobs = stack.settings.path("blobs")
    third = study(stack, 3)
    with full(blobs.parent):
        assert set(storescu(stack, third)) == {"Success"}
        stack.until_logged("No space for blobs", 60)
        # Longer than a message is tried in place: its process ends, and the next one tries again.
        stack.until(lambda: ends(stack) >= 2, 120, "two ends of anonymization")
        assert kept(blobs / "tmp") == []
        assert sum(card["anonymized"] for card in stack.session().cards()) < len(sent) + EACH
    sent += third
    assert_all_there(stack, sent)
    assert "no dead letters" in stack.chips("replay", "dlq", "list").stdout.lower()


def ends(stack: Stack) -> int:
    """Count how often anonymization ended because something was away."""
    lines = stack.log.read_text(errors="replace").splitlines()
    return sum(
        "supervisor.ended" in line and '"child":"anonymization"' in line and '"status":75' in line
        for line in lines
    )
