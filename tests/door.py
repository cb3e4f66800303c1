"""A running gateway for tests, senders that go to it, and what it published."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from prometheus_client import CollectorRegistry
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context

from gateway.part10 import read_meta
from gateway.run import run
from gateway.spool import Announced, file_meta
from schemas.catalogue import PACS, decode
from schemas.envelope import Event
from schemas.pacs import AssociationRefused, AssociationsCounted, InstanceStored, ObjectRefused
from streams.opening import open_admin, open_tail
from streams.settings import Settings
from tests.reception import incoming

PATIENT = "SYNTHETIC^CARLA"
"""A name nobody has, to look for where it must not be."""

CT = (str(CTImageStorage), str(ExplicitVRLittleEndian))

READY_S = 60
"""How long a gateway may take to start, s."""


def settings_in(folder: Path, **changes: Any) -> Settings:
    return Settings(
        **({"data": str(folder), "dicom_port": 0, "disk_reserve_mb": 1, "dicom_processes": 1} | changes)
    )


def new_uid() -> str:
    return f"2.25.{uuid.uuid4().int}"


def image(
    series: str | None = None, *, number: int = 1, side: int = 32, study: str = "1.2.3", frames: int = 1
) -> Dataset:
    """A synthetic CT slice whose pixels nobody else has."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = CTImageStorage
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = new_uid()
    made.Modality = "CT"
    made.PatientName = PATIENT
    made.PatientID = "SYNTH-4711"
    made.StudyInstanceUID = study
    made.SeriesInstanceUID = series or new_uid()
    made.InstanceNumber = number
    made.Rows = made.Columns = side
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    if frames > 1:
        made.NumberOfFrames = frames
    count = side * side * frames
    made.PixelData = np.random.default_rng().integers(0, 4000, count, dtype=np.uint16).tobytes()
    return made


def digest_of(path: Path) -> str:
    """What the event of a file's object has to say of its bytes: the sha256 of what the vault makes of it."""
    raw = path.read_bytes()
    meta = read_meta(raw)
    announced = Announced(*(meta.text(tag) for tag in (0x00020002, 0x00020003, 0x00020010)))
    return hashlib.sha256(file_meta(announced) + raw[meta.dataset :]).hexdigest()


def written(folder: Path, images: list[Dataset]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, one in enumerate(images):
        paths.append(folder / f"{number:05d}.dcm")
        one.save_as(paths[-1], enforce_file_format=True)
    return paths


class Door(msgspec.Struct):
    """A gateway that runs in the test's event loop."""

    settings: Settings
    port: int
    registry: CollectorRegistry
    problems: Any
    notes: Any
    task: asyncio.Task[None]

    @property
    def vault(self) -> Path:
        return self.settings.path("vault")

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"chips_gateway_{name}", labels) or 0.0

    async def comes_to(self, wanted: float, name: str, **labels: str) -> None:
        """Wait until a metric is so high; workers tell of what they did a little later."""
        await asyncio.to_thread(until, lambda: self.metric(name, **labels) >= wanted)
        assert self.metric(name, **labels) == wanted

    def incoming(self) -> list[Path]:
        return incoming(self.vault, os.getpid())

    def originals(self) -> list[Path]:
        return [path for path in (self.vault / "objects").rglob("*") if path.is_file()]


@contextlib.asynccontextmanager
async def open_door(settings: Settings, *, migrate: bool = True, **options: Any) -> AsyncIterator[Door]:
    if migrate:
        await make_topics(settings)
    stop = asyncio.Event()
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    shown: list[Any] = []

    @contextlib.asynccontextmanager
    async def observe(*seen):
        shown.extend(seen)
        yield

    task = asyncio.create_task(run(settings, stop=stop, on_port=ready.set_result, observe=observe, **options))
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield Door(settings, ready.result(), *shown, task)
    finally:
        stop.set()
        await task


async def make_topics(settings: Settings) -> None:
    admin = open_admin(settings)
    await admin.create_topics()
    await admin.close()


async def published(settings: Settings, *, refusals: bool = False) -> list[Event]:
    """Give all events of images, or those of refusals, of the inner topic, in the order of each partition."""
    tail = open_tail(settings)
    try:
        left = sum((await tail.ends([PACS.name])).values())
        found: list[Event] = []
        if left:
            async for record in tail.records([PACS.name], start="beginning"):
                event = decode(record.value)
                assert record.key == event.partitionkey.encode()
                found.append(event)
                if len(found) == left:
                    break
        told = [one for one in found if not isinstance(one.data, AssociationsCounted)]
        return [one for one in told if isinstance(one.data, AssociationRefused | ObjectRefused) is refusals]
    finally:
        await tail.close()


async def published_when(settings: Settings, count: int, timeout_s: float = 30) -> list[Event]:
    """Wait until so many events are there."""
    async with asyncio.timeout(timeout_s):
        while len(found := await published(settings)) < count:
            await asyncio.sleep(0.05)
    return found


async def refusals_when(settings: Settings, count: int, timeout_s: float = 30) -> list[Any]:
    """Wait until so many refusals are told, in however many events; give what those say."""
    found: list[Event] = []
    async with asyncio.timeout(timeout_s):
        while sum(one.data.count for one in found) < count:
            await asyncio.sleep(0.05)
            found = await published(settings, refusals=True)
    return [one.data for one in found]


def stored(events: list[Event]) -> list[InstanceStored]:
    return [event.data for event in events if isinstance(event.data, InstanceStored)]


def ended(events: list[Event]) -> list[Any]:
    return [event.data for event in events if not isinstance(event.data, InstanceStored)]


async def command(*arguments: str) -> tuple[int, str]:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, output.decode(errors="replace")


@contextlib.contextmanager
def associated(
    port: int, contexts: list[tuple[str, str]], calling_ae: str = "TESTER", **options: Any
) -> Iterator[Any]:
    """An association of pynetdicom; released at the end if it still stands."""
    ae = AE(calling_ae)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 30
    association = ae.associate(
        "127.0.0.1", port, contexts=[build_context(UID(c), UID(t)) for c, t in contexts], **options
    )
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def request_pdu(
    calling: str = "TESTER",
    called: str = "CHIPS",
    identity: Any = None,
    context_of: tuple[str, str] = CT,
) -> bytes:
    """An A-ASSOCIATE-RQ for CT images, or another context."""
    asked = A_ASSOCIATE()
    asked.application_context_name = UID("1.2.840.10008.3.1.1.1")
    asked.calling_ae_title, asked.called_ae_title = calling, called
    context = build_context(*context_of)
    context.context_id = 1
    asked.presentation_context_definition_list = [context]
    about, uid = MaximumLengthNotification(), ImplementationClassUIDNotification()
    about.maximum_length_received, uid.implementation_class_uid = 16382, UID("1.2.3.4")
    asked.user_information = [about, uid, *([identity] if identity else [])]
    request = A_ASSOCIATE_RQ()
    request.from_primitive(asked)
    return bytes(request.encode())


def rejection_of(
    port: int, calling: str = "TESTER", called: str = "CHIPS", identity: Any = None
) -> tuple[int, int, int] | None:
    """Give result, source and reason of an A-ASSOCIATE-RJ; None when an association is accepted (and ended).

    Over a bare socket: pynetdicom loses a rejection that comes before its thread waits for the connection.
    """
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(request_pdu(calling, called, identity))
        answer = connection.recv(10, socket.MSG_WAITALL)
        if answer[0] == 2:
            connection.sendall(bytes((7, 0, 0, 0, 0, 4, 0, 0, 0, 0)))
            return None
        assert answer[0] == 3, answer
        return answer[7], answer[8], answer[9]


def encoded(dataset: Dataset) -> bytes:
    """The data set's bytes as explicit VR little endian."""
    return encode(dataset, False, True)


def store_bytes(
    association: Any, data: bytes | None, instance: str, *, context: tuple[str, str] = CT
) -> C_STORE | None:
    """Send any bytes as the data set of a C-STORE."""
    accepted = next(
        cx for cx in association.accepted_contexts if (cx.abstract_syntax, cx.transfer_syntax[0]) == context
    )
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = context[0], instance
    if data is not None:
        request.DataSet = BytesIO(data)
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, accepted.context_id)
    _, response = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    return response


class DoorProcess:
    """A gateway in a process of its own, to be killed."""

    CODE = (
        "import asyncio, os, pathlib\n"
        "from gateway.run import run\n"
        "from streams.logs import configure\n"
        "from streams.settings import load\n"
        "configure('info', 'gateway')\n"
        "async def main():\n"
        "    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(15, stop.set)\n"
        "    settings = load(os.environ, pathlib.Path.cwd()).settings\n"
        "    await run(settings, stop=stop, on_ready=lambda: print('ready', flush=True))\n"
        "asyncio.run(main())\n"
    )

    def __init__(self, settings: Settings, log: Path, crash_at: str = "") -> None:
        environment = os.environ | {
            f"CHIPS_{name.upper()}": str(getattr(settings, name))
            for name in ("data", "dicom_port", "dicom_processes", "disk_reserve_mb", "vault")
        }
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.CODE],
                env=environment | {"CHIPS_CRASH_AT": crash_at},
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self.process.stdout
        # Readable, too, when it ended without a word.
        told, _, _ = select.select([self.process.stdout], [], [], READY_S)
        assert told, f"not ready within {READY_S} s\n{log.read_text()}"
        assert self.process.stdout.readline() == b"ready\n", log.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.wait() == 0

    def wait(self) -> int:
        code = self.process.wait(30)
        if self.process.stdout:
            self.process.stdout.close()
        return code


def in_thread(function: Any) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def workers() -> list[int]:
    """Process ids of the gateway's workers in this process; threads and workers may end meanwhile."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += (task / "children").read_text().split()
    return [int(pid) for pid in found if b"gateway.workers.process" in _command_of(pid)]


def _command_of(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def until(condition: Any, timeout_s: float = 30) -> None:
    """Wait, in a thread, until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
