"""TLS of the DICOM port by BCP 195 (RFC 8996, RFC 9325; DICOM PS3.15, B.12)."""

from __future__ import annotations

import hashlib
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from cryptography import x509

from gateway.renewing import Renewed
from streams.errors import Misconfigured
from streams.settings import Settings

HANDSHAKE_S = 10.0
"""How long a handshake may take, s."""
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
    ":ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
)
"""RFC 9325, 4.2. Those of TLS 1.3 are all of its kind, and OpenSSL's own list."""


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where certificates lie, PEM, and whether a peer needs one."""

    certificate: str
    """Ours, followed by those between it and its authority."""
    key: str
    """Without a passphrase: nobody is there to type it."""
    client_ca: str
    """Authorities of peers, and their revocation lists if they have any."""
    client: Literal["required", "optional", "none"]


class HandshakeFailed(Exception):  # noqa: N818 - what the peer did, not an error of ours
    """No connection came of it.

    Attributes
    ----------
    word
        For metrics and events.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Prepared(NamedTuple):
    """What handshakes are made with."""

    context: ssl.SSLContext
    until: datetime
    """When our certificate ends."""


Contexts = Renewed[Prepared]


def files_of(settings: Settings) -> TlsFiles | None:
    """Give what settings say; None without TLS."""
    if not settings.dicom_tls_certificate_file:
        return None
    return TlsFiles(
        certificate=settings.dicom_tls_certificate_file,
        key=settings.dicom_tls_key_file,
        client_ca=settings.dicom_tls_client_ca_file,
        client=settings.dicom_tls_client_certificate,
    )


def contexts(files: TlsFiles, *, must_be_good: bool = True) -> Contexts:
    """Give the context, made anew when a file changes.

    Parameters
    ----------
    must_be_good
        False: when the files can't be used now, handshakes fail until they can.

    Raises
    ------
    streams.errors.Misconfigured
        When the files can't be used now, and must be.
    """
    named = [Path(name) for name in (files.certificate, files.key, files.client_ca) if name]
    without = Prepared(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), datetime.max.replace(tzinfo=UTC))
    return Renewed("TLS certificate", named, lambda: prepared(files), None if must_be_good else without)


def prepared(files: TlsFiles) -> Prepared:
    """Make a context, and see when its certificate ends; raises as `context_of`."""
    context = context_of(files)
    try:
        ours = x509.load_pem_x509_certificates(Path(files.certificate).read_bytes())[0]
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{files.certificate} can't be read: {type(error).__name__}.") from error
    return Prepared(context, ours.not_valid_after_utc)


def context_of(files: TlsFiles) -> ssl.SSLContext:
    """Make a context.

    Raises
    ------
    streams.errors.Misconfigured
        When a file can't be read, or key and certificate are none or don't belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    # Each handshake is a whole one, so that a certificate that is trusted no more is so at once.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    # A connection that just ends can be written to still, as when we hang up; PDUs tell their lengths and an
    # association its end, so that what was cut is never taken for whole.
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    try:
        # An encrypted key must not make OpenSSL ask on the terminal.
        context.load_cert_chain(files.certificate, files.key or None, password="")
        if files.client != "none":
            context.load_verify_locations(files.client_ca)
            if context.cert_store_stats()["crl"]:
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    except OSError as error:  # ssl.SSLError is one
        raise Misconfigured(_trouble(files, error)) from error
    context.verify_mode = {
        "required": ssl.CERT_REQUIRED,
        "optional": ssl.CERT_OPTIONAL,
        "none": ssl.CERT_NONE,
    }[files.client]
    return context


def sender_context(authorities: Path, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """Make a context to send with, which believes these authorities alone.

    Parameters
    ----------
    certificate, key
        Ours, where the other side asks for one; no key: it lies in the same file.

    Raises
    ------
    streams.errors.Misconfigured
        When a file can't be used.
    """
    try:
        context = ssl.create_default_context(cafile=authorities)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        if certificate:
            context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        named = ", ".join(str(file) for file in (authorities, certificate, key) if file)
        raise Misconfigured(
            f"{named} can't be used for TLS ({getattr(error, 'reason', None) or error.strerror})."
        ) from error
    return context


def peer_context(files: TlsFiles | None) -> ssl.SSLContext:
    """Make a context for connections of ours to peers: our port's certificate, and the authorities of peers.

    Raises
    ------
    streams.errors.Misconfigured
        When there are none, or they can't be used.
    """
    if files is None or not files.client_ca:
        raise Misconfigured(
            "To reach a source by TLS (reply, tls = true) its authority has to be known, and a certificate "
            "of ours: set CHIPS_DICOM_TLS_CLIENT_CA_FILE and CHIPS_DICOM_TLS_CERTIFICATE_FILE."
        )
    return sender_context(
        Path(files.client_ca), Path(files.certificate), Path(files.key) if files.key else None
    )


def why_not(error: OSError) -> str:
    """Say why a handshake failed, in OpenSSL's words or the system's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return error.strerror or "no answer"


def secured(
    connection: socket.socket, context: ssl.SSLContext, seconds: float = HANDSHAKE_S
) -> ssl.SSLSocket:
    """Shake hands as a server; the connection is the result's from now on.

    Raises
    ------
    HandshakeFailed
        When it fails or takes longer; the connection is closed.
    """
    wrapped: ssl.SSLSocket | None = None
    try:
        wrapped = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        wrapped.settimeout(seconds)
        wrapped.do_handshake()
    except OSError as error:
        (wrapped or connection).close()
        raise HandshakeFailed(_word(error)) from error
    return wrapped


def fingerprint(connection: ssl.SSLSocket) -> str | None:
    """Give the sha256 of the client's certificate, hex; None when it showed none."""
    certificate = connection.getpeercert(binary_form=True)
    return hashlib.sha256(certificate).hexdigest() if certificate else None


def _word(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "tls-timeout"
    if isinstance(error, ssl.SSLCertVerificationError) or "PEER_DID_NOT_RETURN_A_CERTIFICATE" in str(error):
        return "tls-certificate"
    return "tls-failed"


def _trouble(files: TlsFiles, error: OSError) -> str:
    for name in (files.certificate, files.key, files.client_ca):
        try:
            if name:
                Path(name).read_bytes()
        except OSError as unreadable:
            return f"{name} can't be read: {unreadable.strerror}."
    reason = getattr(error, "reason", None) or error.strerror or "no PEM"
    return (
        f"{files.certificate}, {files.key or 'the key in it'} and {files.client_ca or 'no authority'} "
        f"can't be used for TLS ({reason}): they are PEM, the key is the certificate's and has no passphrase."
    )
