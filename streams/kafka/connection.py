"""How to reach Kafka: brokers, TLS and SASL from the settings, for librdkafka and for aiokafka."""

from __future__ import annotations

import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from streams import coherence
from streams.errors import Misconfigured
from streams.settings import Settings


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the credentials file holds."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r})"


class Connection(NamedTuple):
    """Brokers (``HOST:PORT,…``) and how to be let in; `repr` shows no password."""

    bootstrap: str
    protocol: str = "PLAINTEXT"
    mechanism: str = ""
    credentials: Credentials | None = None
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Connection:
        """Read it from the settings.

        Raises
        ------
        streams.errors.Misconfigured
            When the credentials file cannot be read, or the settings of TLS and SASL do not fit together.
        """
        if wrong := [*coherence.kafka(settings)]:
            raise Misconfigured(" ".join(wrong))
        file = settings.kafka_credentials_file
        credentials = _read(Path(file)) if file else None
        return cls(
            bootstrap=settings.bus_url.partition("://")[2],
            protocol=settings.kafka_security_protocol,
            mechanism=settings.kafka_sasl_mechanism,
            credentials=credentials,
            ca_file=settings.kafka_ca_file,
            certificate_file=settings.kafka_certificate_file,
            key_file=settings.kafka_key_file,
        )

    def librdkafka(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """Give the configuration of a librdkafka client, with `more` of its own."""
        config: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.protocol,
            "client.id": "chips",
        }
        if self.credentials:
            config |= {
                "sasl.mechanism": self.mechanism,
                "sasl.username": self.credentials.username,
                "sasl.password": self.credentials.password,
            }
        files = {
            "ssl.ca.location": self.ca_file,
            "ssl.certificate.location": self.certificate_file,
            "ssl.key.location": self.key_file,
        }
        return config | {name: file for name, file in files.items() if file} | dict(more)

    def ssl_context(self) -> ssl.SSLContext | None:
        """Give the TLS context for clients on Python's ssl; None without TLS."""
        if not self.protocol.endswith("SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.certificate_file:
                context.load_cert_chain(self.certificate_file, self.key_file or None)
        except OSError as error:  # ssl.SSLError is one, too
            raise Misconfigured(
                f"Kafka's TLS files cannot be used: {error}. Correct CHIPS_KAFKA_*_FILE."
            ) from error
        return context


def _read(file: Path) -> Credentials:
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Credentials)
    except OSError as error:
        raise Misconfigured(f"Cannot read Kafka's credentials from {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        # The error itself could quote a secret.
        raise Misconfigured(f"{file} is not TOML with username and password") from error
