"""Connecting to Cassandra as the settings say: contact points, data centre, credentials, TLS."""

from __future__ import annotations

import asyncio
import re
import ssl
import tomllib
from pathlib import Path
from typing import NamedTuple

from cassandra import ConsistencyLevel, ProtocolVersion
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy, TokenAwarePolicy
from cassandra.query import tuple_factory

from streams import coherence
from streams.errors import Misconfigured
from streams.settings import Settings
from streams.store.cassandra.session import DRIVER_ERRORS, SERIAL, CassandraSession, explain

DEFAULT_PORT = 9042
REQUEST_S = 10.0
CONNECT_S = 10.0

_KEYSPACE = re.compile(r"[a-z][a-z0-9_]{0,47}")
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]+)(:(?P<port>[0-9]{1,5}))?")


class Contact(NamedTuple):
    """Where to find the cluster, and our keyspace in it."""

    hosts: list[tuple[str, int]]
    keyspace: str


def parse_contact(url: str) -> Contact:
    """Read ``cassandra://HOST:PORT,HOST:PORT/KEYSPACE``.

    Raises
    ------
    Misconfigured
        When it is not that.
    """
    places, _, keyspace = url.removeprefix("cassandra://").partition("/")
    found = [_HOST.fullmatch(place) for place in places.split(",")]
    hosts = [(m["host"].strip("[]"), int(m["port"] or DEFAULT_PORT)) for m in found if m is not None]
    if len(hosts) != len(found) or not _KEYSPACE.fullmatch(keyspace):
        raise Misconfigured(
            "CHIPS_STORE takes cassandra://HOST:PORT,HOST:PORT/KEYSPACE; a keyspace's name has lower case "
            "letters, digits and underscores"
        )
    return Contact(hosts, keyspace)


async def connect(settings: Settings) -> CassandraSession:
    """Connect; the keyspace need not be there yet.

    Raises
    ------
    Misconfigured
        When the settings are wrong.
    Rejected
        When the credentials are refused.
    Unavailable
        When no contact point answers.
    """
    contact = parse_contact(settings.store_url)
    cluster = Cluster(
        contact.hosts,
        port=contact.hosts[0][1],
        # What Cassandra 4 and 5 speak: else the driver tries DSE's first and warns.
        protocol_version=ProtocolVersion.V5,
        auth_provider=_credentials(settings),
        ssl_context=tls_of(settings),
        execution_profiles={
            EXEC_PROFILE_DEFAULT: _profile(settings, ConsistencyLevel.LOCAL_QUORUM),
            SERIAL: _profile(settings, ConsistencyLevel.LOCAL_SERIAL),
        },
        connect_timeout=CONNECT_S,
        control_connection_timeout=CONNECT_S,
        application_name="chips",
        monitor_reporting_enabled=False,
        # Tables are asked for by name where that is needed; the whole schema of a big cluster is not.
        schema_metadata_enabled=False,
    )
    try:
        session = await asyncio.to_thread(cluster.connect)
    except DRIVER_ERRORS as error:
        await asyncio.to_thread(cluster.shutdown)
        raise explain(error) from error
    return CassandraSession(cluster, session, contact.keyspace)


async def release_version(settings: Settings) -> str:
    """Give the release of the node that answers.

    Raises
    ------
    Rejected, Unavailable
        As `connect`.
    """
    session = await connect(settings)
    try:
        rows = await session.run_unprepared("SELECT release_version FROM system.local")
    finally:
        await session.close()
    return str(rows[0][0])


def _profile(settings: Settings, level: int) -> ExecutionProfile:
    return ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.cassandra_datacenter)),
        retry_policy=FallthroughRetryPolicy(),
        consistency_level=level,
        serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
        request_timeout=REQUEST_S,
        row_factory=tuple_factory,
    )


def _credentials(settings: Settings) -> PlainTextAuthProvider | None:
    if not settings.cassandra_credentials_file:
        return None
    file = Path(settings.cassandra_credentials_file)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        return PlainTextAuthProvider(username=str(values["username"]), password=str(values["password"]))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        # Nothing of the file's content is quoted: it holds a password.
        raise Misconfigured(f"{file} must be a readable TOML file with username and password") from error


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Give the TLS context; None without TLS. Without a CA file the system's authorities are trusted.

    Raises
    ------
    Misconfigured
        When the files cannot be used.
    """
    if wrong := [*coherence.cassandra(settings)]:
        raise Misconfigured(" ".join(wrong))
    if not (settings.cassandra_tls or settings.cassandra_ca_file or settings.cassandra_certificate_file):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.cassandra_ca_file or None)
        if settings.cassandra_certificate_file:
            context.load_cert_chain(settings.cassandra_certificate_file, settings.cassandra_key_file or None)
    except OSError as error:  # ssl's own errors are of this family
        raise Misconfigured(
            f"Cassandra's TLS files cannot be used ({error}): correct CHIPS_CASSANDRA_CA_FILE, "
            "CHIPS_CASSANDRA_CERTIFICATE_FILE and CHIPS_CASSANDRA_KEY_FILE"
        ) from error
    return context
