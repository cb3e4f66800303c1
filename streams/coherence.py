"""Whether settings make sense together. Pure.

What would silently do less than it was set to, above all speak in plain text, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.settings import Settings

HEALTH_PORTS = 6
"""Processes whose health ports follow `Settings.health_port`."""

_ADDRESSES = {
    "bus": "Name a file with username and password in CHIPS_KAFKA_CREDENTIALS_FILE.",
    "store": "Name a file with username and password in CHIPS_CASSANDRA_CREDENTIALS_FILE.",
    "docker_host": "Use a socket, or ssh://USER@HOST with a key.",
    "public_url": "It is the address that browsers show.",
}


def problems(settings: Settings) -> Iterator[str]:
    """Yield what does not fit, each with the setting to correct; quotes no value that could be secret."""
    yield from _userinfo(settings)
    yield from kafka(settings)
    yield from cassandra(settings)
    yield from dicom_tls(settings)
    if 0 < settings.disk_low_mb < settings.disk_reserve_mb:
        yield (
            f"CHIPS_DISK_LOW_MB is {settings.disk_low_mb}, less than CHIPS_DISK_RESERVE_MB: images would be "
            "refused before associations are. Set it higher, or to 0 for twice the reserve."
        )
    if settings.health_port > 65536 - HEALTH_PORTS:
        yield f"CHIPS_HEALTH_PORT is the first of {HEALTH_PORTS} ports: at most {65536 - HEALTH_PORTS}."


def _userinfo(settings: Settings) -> Iterator[str]:
    for name, instead in _ADDRESSES.items():
        scheme, found, rest = getattr(settings, name).partition("://")
        if not found:
            scheme, rest = "", scheme
        if scheme in {"embedded", "sqlite", "file", "memory", "unix"}:
            continue  # a path, in which @ is a letter like others
        user, at, _ = rest.rpartition("@")
        if at and (scheme != "ssh" or ":" in user):
            yield f"CHIPS_{name.upper()} must not hold a user or password: settings are shown. {instead}"


def kafka(settings: Settings) -> Iterator[str]:
    """Yield what does not fit in the way to Kafka."""
    protocol = settings.kafka_security_protocol
    tls = [
        name
        for name in ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
        if getattr(settings, name)
    ]
    sasl = [name for name in ("kafka_sasl_mechanism", "kafka_credentials_file") if getattr(settings, name)]
    if tls and not protocol.endswith("SSL"):
        yield (
            f"{_listed(tls)} would not be used: CHIPS_KAFKA_SECURITY_PROTOCOL is {protocol}, "
            "set it to SSL or SASL_SSL."
        )
    if sasl and not protocol.startswith("SASL"):
        yield (
            f"{_listed(sasl)} would not be used: CHIPS_KAFKA_SECURITY_PROTOCOL is {protocol}, "
            "set it to SASL_SSL (or SASL_PLAINTEXT)."
        )
    if protocol.startswith("SASL") and len(sasl) < 2:  # noqa: PLR2004 - both of them
        yield f"{protocol} needs CHIPS_KAFKA_SASL_MECHANISM and CHIPS_KAFKA_CREDENTIALS_FILE."
    if settings.kafka_key_file and not settings.kafka_certificate_file:
        yield "CHIPS_KAFKA_KEY_FILE is the key of a certificate: set CHIPS_KAFKA_CERTIFICATE_FILE, too."
    if settings.kafka_min_isr > settings.kafka_replication:
        yield (
            f"CHIPS_KAFKA_MIN_ISR is {settings.kafka_min_isr}, more than the {settings.kafka_replication} "
            "replicas of CHIPS_KAFKA_REPLICATION: nothing could ever be sent."
        )


def cassandra(settings: Settings) -> Iterator[str]:
    """Yield what does not fit in the way to Cassandra."""
    if settings.cassandra_key_file and not settings.cassandra_certificate_file:
        yield (
            "CHIPS_CASSANDRA_KEY_FILE is the key of a certificate: set CHIPS_CASSANDRA_CERTIFICATE_FILE, too."
        )


def dicom_tls(settings: Settings) -> Iterator[str]:
    """Yield what does not fit in the TLS of the DICOM port."""
    certificate = settings.dicom_tls_certificate_file
    unused = [name for name in ("dicom_tls_key_file", "dicom_tls_client_ca_file") if getattr(settings, name)]
    if not certificate:
        if unused:
            yield f"{_listed(unused)} would not be used: set CHIPS_DICOM_TLS_CERTIFICATE_FILE, too."
        if not settings.dicom_plain:
            yield (
                "CHIPS_DICOM_PLAIN is off and there is no TLS: no port would listen. "
                "Set CHIPS_DICOM_TLS_CERTIFICATE_FILE."
            )
    elif settings.dicom_tls_client_certificate == "none":
        if settings.dicom_tls_client_ca_file:
            yield (
                "CHIPS_DICOM_TLS_CLIENT_CA_FILE would not be used: set CHIPS_DICOM_TLS_CLIENT_CERTIFICATE to "
                "required or optional."
            )
    elif not settings.dicom_tls_client_ca_file:
        yield (
            "Senders' certificates are judged by CHIPS_DICOM_TLS_CLIENT_CA_FILE: name their authorities, or "
            "set CHIPS_DICOM_TLS_CLIENT_CERTIFICATE to none."
        )


def _listed(names: list[str]) -> str:
    return " and ".join(f"CHIPS_{name.upper()}" for name in names)
