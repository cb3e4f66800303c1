"""The outer zone works with a vault that it can't read, and nothing outside the vault tells who it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pydicom
import pytest

from deploy.migrate import apply
from deploy.ports import PROCESSES, health_port
from schemas.catalogue import AGENTS, TOPICS
from tests.engines.ports import ports_in_a_row
from tests.phantoms import write_studies
from tests.stack import Stack, wait_quiescent

INNER = {"gateway": ["gateway"], **{name: ["agents", name] for name in AGENTS if AGENTS[name] == "inner"}}
OUTER = {
    **{name: ["agents", name] for name in AGENTS if AGENTS[name] == "outer"},
    "runner": ["runner"],
    "ui": ["ui"],
}
NOBODY = pwd.getpwnam("nobody")
IMAGES = 12
IDENTIFYING = [
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "AccessionNumber",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
]
AS_NOBODY = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]


SPAWNS_ITSELF = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"


def python_for_everybody(folder: Path) -> Path:
    """Make an environment that nobody can run: ours may lie in somebody's home."""
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    for base in (str(Path(sys._base_executable).resolve()), system):
        tried = subprocess.run([*AS_NOBODY, base, "-c", SPAWNS_ITSELF], check=False, capture_output=True)
        if tried.returncode == 0:
            break
    else:
        raise AssertionError(f"no Python that {NOBODY.pw_name} can run: install {system}")
    subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


class Zones:
    """A CHIPS whose outer processes belong to nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        first = ports_in_a_row(len(PROCESSES))
        self.stack = Stack(
            folder / "chips",
            {"CHIPS_ISOLATION": "subprocess", "CHIPS_LOG_LEVEL": "debug", "CHIPS_HEALTH_PORT": str(first)},
        )
        self.ports = {name: health_port(self.stack.settings, name) for name in PROCESSES}
        self.ports["ui"] = self.stack.http_port
        self.vault = self.stack.folder / "vault"
        self.inner = self.stack.folder / "data" / "bus" / "inner"
        self.python = python_for_everybody(folder / "python")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def prepare(self) -> None:
        """Make tables and topics, and share everything but the vault and the inner topics by their group."""
        asyncio.run(apply(self.stack.settings))
        self.stack.add_user("ana", "Ana Kim")
        self.vault.mkdir(mode=0o700)
        data, blobs = self.stack.folder / "data", self.stack.folder / "blobs"
        for shared in (data, blobs):
            for path in (shared, *shared.rglob("*")):
                if path == self.inner or path.is_relative_to(self.inner):
                    continue
                os.chown(path, -1, NOBODY.pw_gid)
                path.chmod(0o2770 if path.is_dir() else 0o660)

    def start(self) -> None:
        self.stack.log.touch()
        for name, arguments in {**INNER, **OUTER}.items():
            with (self.stack.folder / f"{name}.log").open("wb") as log:
                command = [str(self.python), "-m", "deploy.cli", *arguments]
                self.processes[name] = subprocess.Popen(
                    [*AS_NOBODY, *command] if name in OUTER else command,
                    env={**self.stack.environment, "PYTHONDONTWRITEBYTECODE": "1"},
                    cwd=self.stack.folder,
                    stdout=log,
                    stderr=log,
                    # Both zones write the embedded bus and store: on one machine they share a group's files.
                    umask=0o007,
                )
        for name in self.processes:
            self.stack.until(lambda name=name: self.ready(name), 60, f"{name} to be ready")

    def ready(self, name: str) -> bool:
        process = self.processes[name]
        assert process.poll() is None, f"{name} ended:\n{self.log(name)}"
        with contextlib.suppress(OSError), urlopen(self.url(name, "readyz"), timeout=2) as answer:
            return answer.status == 200
        return False

    def url(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}/{path}"

    def as_nobody(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the outer zone's user."""
        return subprocess.run(
            [*AS_NOBODY, str(self.python), "-m", "deploy.cli", *arguments],
            env={**self.stack.environment, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"},
            cwd=self.stack.folder,
            capture_output=True,
            text=True,
            check=False,
            umask=0o007,
        )

    def log(self, name: str) -> str:
        return (self.stack.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError(f"{name} did not stop:\n{self.log(name)}") from None


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that everybody reaches: pytest's own are their owner's alone."""
    folder = Path(tempfile.mkdtemp(prefix="chips-zones-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_the_outer_zone_works_with_the_vault_unreadable_and_holds_nothing_that_identifies(shared_folder):
    assert os.geteuid() == 0, "needs root, to give the two zones two owners"
    files = write_studies(shared_folder / "studies", seed=4711, images=IMAGES, series=1)
    zones = Zones(shared_folder)
    zones.prepare()
    for closed in (["ls", zones.vault], ["ls", zones.inner], ["cat", zones.inner / "inner.db"]):
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.run([*AS_NOBODY, *map(str, closed)], check=True, capture_output=True)
    metrics: list[bytes] = []
    try:
        zones.start()
        for name in OUTER:
            uid = Path(f"/proc/{zones.processes[name].pid}/status").read_text().split("Uid:")[1].split()[0]
            assert int(uid) == NOBODY.pw_uid, name
        zones.stack.chips("send", str(shared_folder / "studies"), f"127.0.0.1:{zones.stack.dicom_port}")

        def measured() -> bool:
            for name in zones.processes:
                assert zones.processes[name].poll() is None, f"{name} ended:\n{zones.log(name)}"
            return any(card["measured"] for card in zones.stack.session().cards())

        zones.stack.until(measured, 90, "a measured card")
        wait_quiescent(zones.stack, 30)
        (card,) = zones.stack.session().cards()
        assert (card["anonymized"], card["quarantined"]) == (IMAGES, 0)
        metrics += [urlopen(zones.url(name, "metrics"), timeout=5).read() for name in zones.processes]
        open_files = held_open(zones)
    finally:
        zones.stop()
    assert open_files
    for closed in (zones.vault, zones.inner):
        assert not [path for path in open_files if path.is_relative_to(closed)]
    # What is inner went through the inner file, and the outer user who asks for it is told why not.
    assert topics_in(zones.inner / "inner.db") == {
        topic.name for topic in TOPICS.values() if topic.zone == "inner"
    }
    assert not [name for name in topics_in(zones.inner.parent / "bus.db") if TOPICS[name].zone == "inner"]
    asked = zones.as_nobody("replay", "tail", "--type", "chips.pacs", "--no-follow")
    assert (asked.returncode, "is the inner zone's" in asked.stderr) == (os.EX_TEMPFAIL, True), asked.stderr
    told = zones.as_nobody("replay", "diff", "card")
    assert told.returncode == 0, told.stderr
    assert "not compared" in told.stdout
    listed = zones.as_nobody("replay", "dlq", "list")
    assert listed.returncode == 0, listed.stderr
    assert zones.as_nobody("status").returncode == 0
    values = identifying(files)
    assert len(values) > IMAGES + 4
    # What is looked for is there to be found: in the vault.
    assert found(values, vault_bytes(zones))
    assert found(values, outer_bytes(zones)) == []
    assert found(values, list(enumerate(metrics))) == []


def held_open(zones: Zones) -> set[Path]:
    """Give the files that outer processes have open."""
    paths = set()
    for name in OUTER:
        for descriptor in Path(f"/proc/{zones.processes[name].pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                paths.add(descriptor.readlink())
    return {path for path in paths if path.is_relative_to(zones.folder)}


def topics_in(file: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(file)) as db:
        return {name for (name,) in db.execute('SELECT DISTINCT topic FROM partition WHERE "end" >= 0')}


def identifying(files: list[Path]) -> set[bytes]:
    """Give every identifying value of the images, as ASCII and as UTF-16."""
    values = set()
    for file in files:
        dataset = pydicom.dcmread(file, stop_before_pixels=True)
        values |= {str(dataset[keyword].value) for keyword in IDENTIFYING}
    # Also the parts of a name, and what every synthetic identity holds.
    values |= {"CANARY", "4711000"}
    return {value.encode(codec) for value in values for codec in ("ascii", "utf-16-le", "utf-16-be")}


def vault_bytes(zones: Zones) -> list[tuple[Path, bytes]]:
    return [(path, path.read_bytes()) for path in zones.vault.rglob("*") if path.is_file()]


def outer_bytes(zones: Zones) -> list[tuple[Path, bytes]]:
    """Read everything beside the vault: store, bus, blobs, work folders, logs; databases with their logs."""
    outside = [
        path
        for path in zones.stack.folder.rglob("*")
        if path.is_file() and not path.is_relative_to(zones.vault) and path.suffix != ".jsonl"
    ]
    names = {path.name for path in outside}
    assert names >= {"store.db", "bus.db", "inner.db", "feeds.log", "gateway.log"}
    assert any("blobs" in path.parts for path in outside)
    return [(path, path.read_bytes()) for path in outside]


def found(values: set[bytes], places: list) -> list:
    return [(place, value) for place, content in places for value in values if value in content]
