"""Senders and the gateway: who brings what, over which transport, and whether each byte is kept.

``python -m tests.interoperation`` measures and writes the table of ``docs/dicom-conformance.md``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import evt
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    Verification,
)

from gateway.conformance import PAGE, written_into
from gateway.outgoing import Outgoing, examine
from gateway.peer import c_store
from tests.certificates import Paper
from tests.dcmtk import dcmtk
from tests.door import (
    Door,
    associated,
    command,
    digest_of,
    image,
    new_uid,
    open_door,
    published_when,
    settings_in,
    stored,
    until,
)
from tests.engines.ports import free_port

PART = "interoperation"
KEPT, CONVERTED, DONE, FAILED, NONE = "kept", "converted", "done", "FAILED", "-"
"""Of a cell: the same bytes in the vault; the same data set, in a transfer syntax that the sender made of it;
the service was given; none of these; the sender does not have it."""
_PICTURES = {
    "JPEG": bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9"),
    "JPEG 2000": bytes.fromhex("ff4fff510000ffd9"),
}
"""Codestreams that nobody decodes: what is sent in the syntax that it has, is not looked into."""

SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "JPEG": JPEGBaseline8Bit,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "RLE": RLELossless,
}
COLUMNS = ("echo", *SYNTAXES, "commitment")
_STORESCU = {
    "implicit": "-xi",
    "explicit": "-xe",
    "big endian": "-xb",
    "deflated": "-xd",
    "JPEG": "-xy",
    "JPEG-LS": "-xt",
    "JPEG 2000": "-xv",
    "RLE": "-xr",
}


class Row(NamedTuple):
    """A sender and its transport."""

    sender: str
    tls: bool

    @property
    def ae(self) -> str:
        return f"{self.sender.upper()}{'-TLS' if self.tls else ''}"


Cells = dict[str, str]
"""By column; a column that a sender does not have is missing."""
Matrix = dict[Row, Cells]


class Papers:
    """What both sides show."""

    def __init__(self, folder: Path) -> None:
        self.authority = Paper(folder, "authority")
        self.ours = Paper(folder, "chips", self.authority)
        self.sender = Paper(folder, "sender", self.authority)

    @property
    def dcmtk(self) -> list[str]:
        return [
            "+tls",
            str(self.sender.key),
            str(self.sender.certificate),
            "+cf",
            str(self.authority.certificate),
        ]

    @property
    def python(self) -> tuple[ssl.SSLContext, str]:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.load_cert_chain(self.sender.certificate, self.sender.key)
        return context, "localhost"


class Senders:
    """Runs a sender over a transport; each gives what it did besides storing."""

    def __init__(self, folder: Path, door: Door, tls_port: int, papers: Papers) -> None:
        self._folder = folder
        self._door = door
        self._tls_port = tls_port
        self._papers = papers

    def files(self, row: Row) -> dict[str, Path]:
        """An object of each transfer syntax, of this sender and transport alone."""
        folder = self._folder / row.ae
        folder.mkdir(exist_ok=True)
        return {name: _written(folder / f"{name.replace(' ', '-')}.dcm", name) for name in SYNTAXES}

    def port(self, row: Row) -> int:
        return self._tls_port if row.tls else self._door.port

    def arguments(self, row: Row) -> list[str]:
        """What dcmtk's programs are called with."""
        secured = self._papers.dcmtk if row.tls else []
        return [*secured, "-aet", row.ae, "-aec", "CHIPS", "127.0.0.1", str(self.port(row))]

    async def echoscu(self, row: Row, files: dict[str, Path]) -> Cells:
        code, _ = await command(dcmtk("echoscu"), *self.arguments(row))
        return {"echo": DONE if code == 0 else FAILED}

    async def storescu(self, row: Row, files: dict[str, Path]) -> Cells:
        for name, option in _STORESCU.items():
            await command(dcmtk("storescu"), option, *self.arguments(row), str(files[name]))
        return {}

    async def dcmsend(self, row: Row, files: dict[str, Path]) -> Cells:
        await command(dcmtk("dcmsend"), "-dn", *self.arguments(row), *map(str, files.values()))
        return {}

    async def pynetdicom(self, row: Row, files: dict[str, Path]) -> Cells:
        return await asyncio.to_thread(self._pynetdicom, row, files)

    def _pynetdicom(self, row: Row, files: dict[str, Path]) -> Cells:
        objects = [one for one in map(examine, files.values()) if isinstance(one, Outgoing)]
        echo, commitment = (str(one) for one in (Verification, StorageCommitmentPushModel))
        contexts = [(echo, ImplicitVRLittleEndian), (commitment, ExplicitVRLittleEndian)]
        reports: list[Any] = []

        def hear(event: Any) -> tuple[int, None]:
            reports.append(event.event_information)
            return 0, None

        with associated(
            self.port(row),
            [*contexts, *(one.context for one in objects)],
            calling_ae=row.ae,
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, hear)],
            tls_args=self._papers.python if row.tls else None,
        ) as association:
            echoed = association.send_c_echo().Status
            take = association.dimse.get_msg
            # Its reactor would take answers that are waited for, on a busy machine (3.0.4).
            association.dimse.get_msg = lambda block=False: take(block) if block else (None, None)
            for one in objects:
                c_store(association, one)
            asked = pydicom.Dataset()
            asked.TransactionUID, asked.ReferencedSOPSequence = new_uid(), []
            for one in objects:
                item = pydicom.Dataset()
                item.ReferencedSOPClassUID = one.sop_class_uid
                item.ReferencedSOPInstanceUID = one.sop_instance_uid
                asked.ReferencedSOPSequence.append(item)
            association.send_n_action(
                asked, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
            association.dimse.get_msg = take
            until(lambda: reports)
        kept = len(reports[0].get("ReferencedSOPSequence", []))
        return {
            "echo": DONE if echoed == 0 else FAILED,
            "commitment": DONE if kept == len(objects) else FAILED,
        }

    async def orthanc(self, row: Row, files: dict[str, Path], http: Http) -> Cells:
        return await asyncio.to_thread(self._orthanc, row, files, http)

    def _orthanc(self, row: Row, files: dict[str, Path], http: Http) -> Cells:
        peer = f"/modalities/{row.ae.lower()}"
        ids = [http.post("/instances", path.read_bytes())["ID"] for path in files.values()]
        http.post(f"{peer}/store", {"Resources": ids, "Synchronous": True})
        http.post(f"{peer}/echo", {})
        transaction = http.post(f"{peer}/storage-commitment", {"Resources": ids})["ID"]
        told: list[str] = []

        def answered() -> bool:
            told.append(http.get(f"/storage-commitment/{transaction}")["Status"])
            return told[-1] != "Pending"

        until(answered)
        return {"echo": DONE, "commitment": DONE if told[-1] == "Success" else FAILED}


class Http(NamedTuple):
    """Orthanc's door for programs."""

    port: int

    def post(self, where: str, body: bytes | dict[str, Any]) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{where}", raw, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def get(self, where: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{where}", timeout=60) as answer:
            return json.load(answer)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


ROWS = [
    Row(sender, tls)
    for sender in ("echoscu", "storescu", "dcmsend", "pynetdicom", "Orthanc")
    for tls in (False, True)
    if (sender, tls) != ("dcmsend", True)  # dcmtk 3.6.7 has none
]


async def measure(folder: Path) -> Matrix:
    """Run every sender against one gateway."""
    papers = Papers(folder / "papers")
    tls_port, dicom, http = free_port(), free_port(), Http(free_port())
    rules = folder / "sources.toml"
    aes = ", ".join(f'"{row.ae}"' for row in ROWS if row.sender == "Orthanc")
    rules.write_text(
        f'unknown = "open"\n[source.orthanc]\ncalling_ae = [{aes}]\n'
        f'reply = {{host = "127.0.0.1", port = {dicom}, ae = "ORTHANC"}}\n'
    )
    settings = settings_in(
        folder / "data",
        dicom_processes=2,
        sources_file=str(rules),
        dicom_tls_port=tls_port,
        dicom_tls_certificate_file=str(papers.ours.certificate),
        dicom_tls_key_file=str(papers.ours.key),
        dicom_tls_client_ca_file=str(papers.authority.certificate),
    )
    async with open_door(settings) as door, _orthanc(folder, papers, (door.port, tls_port), (dicom, http)):
        senders = Senders(folder, door, tls_port, papers)
        found: Matrix = {}
        sent: dict[Row, dict[str, Path]] = {}
        for row in ROWS:
            files = sent[row] = senders.files(row)
            if row.sender == "Orthanc":
                found[row] = await senders.orthanc(row, files, http)
            else:
                found[row] = await getattr(senders, row.sender)(row, files)
        expected = int(door.metric("stored_total"))
        events = stored(await published_when(settings, expected))
        kept = {(one.digest, one.transfer_syntax_uid) for one in events}
        originals = {str(one.SOPInstanceUID): one for one in map(pydicom.dcmread, door.originals())}
    for row, files in sent.items():
        if row.sender != "echoscu":
            found[row] |= {name: _cell(name, path, kept, originals) for name, path in files.items()}
    return found


@contextlib.asynccontextmanager
async def _orthanc(
    folder: Path, papers: Papers, ports: tuple[int, int], own: tuple[int, Http]
) -> AsyncIterator[None]:
    """Orthanc with two modalities: the gateway, and the gateway by TLS."""
    config = folder / "orthanc.json"
    plain, secured = (row for row in ROWS if row.sender == "Orthanc")
    config.write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "orthanc"),
                "IndexDirectory": str(folder / "orthanc"),
                "HttpPort": own[1].port,
                "DicomPort": own[0],
                "DicomAet": "ORTHANC",
                "DicomCheckCalledAet": False,
                "AuthenticationEnabled": False,
                "RemoteAccessAllowed": False,
                "DicomTlsCertificate": str(papers.sender.certificate),
                "DicomTlsPrivateKey": str(papers.sender.key),
                "DicomTlsTrustedCertificates": str(papers.authority.certificate),
                "DicomModalities": {
                    row.ae.lower(): {
                        "AET": "CHIPS",
                        "Host": "127.0.0.1",
                        "Port": port,
                        "LocalAet": row.ae,
                        "UseDicomTls": row.tls,
                    }
                    for row, port in zip((plain, secured), ports, strict=True)
                },
                "Plugins": [],
            }
        )
    )
    process = await asyncio.create_subprocess_exec(
        "Orthanc", str(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await asyncio.to_thread(until, own[1].listens)
        yield
    finally:
        process.terminate()
        await process.wait()


def _cell(name: str, path: Path, kept: set[tuple[str, str]], originals: dict[str, pydicom.Dataset]) -> str:
    if (digest_of(path), str(SYNTAXES[name])) in kept:
        return KEPT
    sent = pydicom.dcmread(path)
    return CONVERTED if originals.get(str(sent.SOPInstanceUID)) == sent else FAILED


def _written(path: Path, name: str) -> Path:
    """Write an object of a transfer syntax, whose UID nobody else has."""
    syntax, made = SYNTAXES[name], image("1.2.3.4")
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelData = made.PixelData[: 32 * 32]
    if syntax in (JPEGLSLossless, RLELossless):
        made.compress(syntax, generate_instance_uid=False)
    elif name in _PICTURES:
        made.PixelData = pydicom.encaps.encapsulate([_PICTURES[name]])
        made["PixelData"].is_undefined_length = True
    made.file_meta.TransferSyntaxUID = syntax
    made.save_as(path, enforce_file_format=True)
    return path


def table(matrix: Matrix) -> str:
    """Write it as Markdown."""
    lines = [f"| sender | transport | {' | '.join(COLUMNS)} |", "|---|---|" + "---|" * len(COLUMNS)]
    for row, cells in matrix.items():
        values = " | ".join(cells.get(column, NONE) for column in COLUMNS)
        lines.append(f"| {row.sender} | {'TLS' if row.tls else 'plain'} | {values} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        made = table(asyncio.run(measure(Path(folder))))
    PAGE.write_text(written_into(PAGE.read_text(encoding="utf-8"), PART, made), encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
