"""Certificates for tests: an authority, and what it and others vouch for."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Paper:
    """A certificate and its key, as files."""

    def __init__(self, folder: Path, name: str, authority: Paper | None = None, *, days: int = 30) -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        by, signs = (authority.name, authority.private) if authority else (self.name, self.private)
        until = datetime.now(UTC) + timedelta(days=days)
        made = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(by)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(datetime.now(UTC), until) - timedelta(days=2))
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
                ),
                critical=False,
            )
            .sign(signs, hashes.SHA256())
        )
        self.number = made.serial_number
        self.fingerprint = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            self.private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def revocations(authority: Paper, *revoked: Paper) -> bytes:
    """A revocation list, PEM."""
    now = datetime.now(UTC)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.name)
        .last_update(now - timedelta(days=1))
        .next_update(now + timedelta(days=1))
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.number).revocation_date(now)
        made = made.add_revoked_certificate(entry.build())
    return made.sign(authority.private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
