"""Settings that would silently do less than they say are refused, and no secret is shown in saying so."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from streams.coherence import problems
from streams.errors import Misconfigured
from streams.kafka.connection import Connection
from streams.settings import Settings, load
from streams.store.cassandra import connecting


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("BUS", "kafka://user:hunter2@h:9092", "CHIPS_KAFKA_CREDENTIALS_FILE"),
        ("BUS", "kafka://a:1,user:hunter2@h:9092", "CHIPS_KAFKA_CREDENTIALS_FILE"),
        ("STORE", "cassandra://user:hunter2@h:9042/chips", "CHIPS_CASSANDRA_CREDENTIALS_FILE"),
        ("DOCKER_HOST", "tcp://u:hunter2@h", "ssh"),
        ("DOCKER_HOST", "u:hunter2@h:2375", "ssh"),
        ("DOCKER_HOST", "ssh://u:hunter2@h", "ssh"),
        ("PUBLIC_URL", "https://u:hunter2@h", "browsers"),
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(tmp_path, name, value, instead):
    with pytest.raises(Misconfigured) as refused:
        load({f"CHIPS_{name}": value}, tmp_path)
    assert re.search(f"CHIPS_{name} .*{instead}", str(refused.value))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "environment",
    [
        {"CHIPS_DOCKER_HOST": "ssh://me@host"},
        {"CHIPS_BUS": "embedded:///srv/a@b"},
        {"CHIPS_STORE": "sqlite:///srv/a@b/store.db"},
        {"CHIPS_DOCKER_HOST": "unix:///run/user@1000.service/docker.sock"},
    ],
)
def test_an_at_sign_elsewhere_is_none_of_our_business(tmp_path, environment):
    load(environment, tmp_path)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(dicom_tls_key_file="k"), "TLS_KEY_FILE would not be used"),
        (Settings(disk_low_mb=100), "DISK_LOW_MB is 100, less than CHIPS_DISK_RESERVE_MB"),
        (Settings(dicom_plain=False), "no port would listen"),
        (Settings(dicom_tls_certificate_file="c"), "name their authorities"),
        (
            Settings(
                dicom_tls_certificate_file="c",
                dicom_tls_client_ca_file="a",
                dicom_tls_client_certificate="none",
            ),
            "CLIENT_CA_FILE would not be used",
        ),
        (Settings(kafka_ca_file="x"), "KAFKA_CA_FILE would not be used.*set it to SSL"),
        (Settings(kafka_certificate_file="x"), "KAFKA_CERTIFICATE_FILE would not be used"),
        (Settings(kafka_credentials_file="x"), "KAFKA_CREDENTIALS_FILE would not be used.*SASL_SSL"),
        (Settings(kafka_sasl_mechanism="PLAIN"), "KAFKA_SASL_MECHANISM would not be used"),
        (Settings(kafka_security_protocol="SSL", kafka_credentials_file="x"), "would not be used"),
        (
            Settings(
                kafka_security_protocol="SASL_PLAINTEXT",
                kafka_sasl_mechanism="PLAIN",
                kafka_credentials_file="x",
                kafka_ca_file="x",
            ),
            "KAFKA_CA_FILE would not be used",
        ),
        (Settings(kafka_security_protocol="SASL_SSL"), "needs CHIPS_KAFKA_SASL_MECHANISM and"),
        (Settings(kafka_security_protocol="SSL", kafka_key_file="x"), "set CHIPS_KAFKA_CERTIFICATE_FILE"),
        (Settings(kafka_min_isr=2), "CHIPS_KAFKA_MIN_ISR"),
        (Settings(cassandra_key_file="x"), "set CHIPS_CASSANDRA_CERTIFICATE_FILE"),
        (Settings(health_port=65531), "CHIPS_HEALTH_PORT"),
    ],
)
def test_what_would_not_be_used_is_told(settings, told):
    assert re.search(told, " ".join(problems(settings)))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(kafka_security_protocol="SSL"),
        Settings(kafka_security_protocol="SSL", kafka_ca_file="x", kafka_certificate_file="x"),
        Settings(
            kafka_security_protocol="SASL_SSL", kafka_sasl_mechanism="PLAIN", kafka_credentials_file="x"
        ),
        Settings(cassandra_certificate_file="x", cassandra_key_file="x"),
        Settings(kafka_replication=3, kafka_min_isr=2, health_port=65530),
    ],
)
def test_what_fits_is_left_alone(settings):
    assert not list(problems(settings))


def test_the_connection_refuses_them_too():
    with pytest.raises(Misconfigured, match="would not be used"):
        Connection.of(Settings(bus="kafka://h:1", kafka_ca_file="x"))
    with pytest.raises(Misconfigured, match="CERTIFICATE_FILE"):
        connecting.tls_of(Settings(cassandra_key_file="x"))


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(file)


def test_cassandra_speaks_tls_when_any_of_it_is_set(certificate):
    assert connecting.tls_of(Settings()) is None
    for settings in (
        Settings(cassandra_tls=True),
        Settings(cassandra_certificate_file=certificate),
        Settings(cassandra_ca_file=certificate),
    ):
        context = connecting.tls_of(settings)
        assert context is not None
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
    with pytest.raises(Misconfigured, match="TLS files"):
        connecting.tls_of(Settings(cassandra_ca_file=certificate + ".none"))
