"""Orthanc as a sender."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import urllib.request
from pathlib import Path

from tests.certificates import Paper
from tests.door import until
from tests.engines.ports import free_port


async def orthanc_sends(
    folder: Path, files: list[Path], port: int, *, ours: Paper | None = None, authority: Paper | None = None
) -> None:
    """Let Orthanc store files at a port of this machine, with a certificate over TLS; all must be taken."""
    http = free_port()
    config = _configured(folder, http, port, ours, authority)
    orthanc = await asyncio.create_subprocess_exec(
        "Orthanc", str(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await asyncio.to_thread(_store, http, files)
    finally:
        orthanc.terminate()
        await orthanc.wait()


def _configured(folder: Path, http: int, port: int, ours: Paper | None, authority: Paper | None) -> Path:
    modality = {"AET": "CHIPS", "Host": "127.0.0.1", "Port": port, "UseDicomTls": ours is not None}
    settings = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpPort": http,
        "DicomServerEnabled": False,
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
        "DicomModalities": {"chips": modality},
        "Plugins": [],
    }
    if ours and authority:
        settings |= {
            "DicomTlsCertificate": str(ours.certificate),
            "DicomTlsPrivateKey": str(ours.key),
            "DicomTlsTrustedCertificates": str(authority.certificate),
        }
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "orthanc.json"
    config.write_text(json.dumps(settings))
    return config


def _store(http: int, files: list[Path]) -> None:
    def post(where: str, body: bytes) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{http}{where}", body, timeout=60) as answer:
            return json.load(answer)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", http)) == 0

    until(listens)
    ids = [post("/instances", path.read_bytes())["ID"] for path in files]
    answer = post("/modalities/chips/store", json.dumps({"Resources": ids, "Synchronous": True}).encode())
    assert answer["FailedInstancesCount"] == 0
