"""Made-up objects as files, and lines about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agents.anonymization.files import run
from agents.anonymization.files.entries import Entry, Stamp
from agents.anonymization.files.manifest import Manifest
from agents.anonymization.files.objects import Found
from agents.anonymization.policy.document import Policy
from tests.unit.agents.anonymization.files.here import HerePool


@pytest.fixture
def line() -> Callable[..., Entry]:
    """A line of a manifest."""

    def make(path="a.dcm", result="anonymized", **fields):
        chosen = {"policy": "basic/1+0", "key": "0" * 16, "bytes": 10, "modified_ns": 20, **fields}
        if result == "anonymized":
            chosen = {"output": "p/1.2/1.3/1.4.dcm", "output_bytes": 7, "sha256": "0" * 64, **chosen}
        return Entry(input=path, result=result, **chosen)

    return make


@pytest.fixture
def found() -> Callable[..., Found]:
    """An object."""

    def make(path, instance="1.4", series="1.3", study="1.2", patient="p"):
        return Found(path, Stamp(10, 20), patient, study, series, instance, "CT", "1.2.840.10008.5.1.4.1.1.2")

    return make


@pytest.fixture
def saved(ct, encode, tmp_path) -> Callable[..., Path]:
    """Write a made-up CT to a file below the folder ``in``."""

    def write(name="in/a.dcm", syntax="explicit", **changes):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(ct(**changes), syntax))
        return file

    return write


@pytest.fixture
def certificate() -> str:
    """A certificate (PEM) for which originals can be encrypted; nobody has its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "trusted third party")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now)
    signed = made.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def anonymized(tmp_path, key, monkeypatch):
    """Run on the folder ``in``; gives summary, lines by input, and outputs."""
    monkeypatch.setattr(run, "Pool", HerePool)
    (tmp_path / "in").mkdir(exist_ok=True)

    def work(**options):
        chosen = {
            "source": tmp_path / "in",
            "out": tmp_path / "out",
            "manifest": tmp_path / "m.jsonl",
            "key": key,
            "policy": Policy(name="x", version=1),
            "workers": 1,
        }
        hooks = {name: options.pop(name) for name in ("stop", "on_progress", "at_end") if name in options}
        summary = run.anonymize_files(run.Job(**{**chosen, **options}), **hooks)
        with Manifest(tmp_path / "m.jsonl") as manifest:
            lines = {entry.input: entry for entry in manifest.read()}
        assert list(lines) == sorted(lines) or not summary.complete
        return summary, lines

    return work
