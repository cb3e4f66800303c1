"""Settings: from defaults, a TOML file and the environment, validated once, at the start.

Every setting has one name: `http_port` in the file is ``CHIPS_HTTP_PORT`` in the environment, which wins.
The file is named by ``CHIPS_CONFIG``, else ``chips.toml`` in the working directory when there is one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from streams.coherence import problems
from streams.errors import Misconfigured

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Url = Annotated[str, msgspec.Meta(pattern=r"^(embedded|kafka|sqlite|cassandra|file|memory)://.+")]


PREFIX = "CHIPS_"

READ_ELSEWHERE = frozenset(
    {
        "CHIPS_CONFIG",  # names the file
        "CHIPS_PASSWORD",  # of `chips user add`
        "CHIPS_PLUGIN_BASE",  # of `chips plugins build`
        "CHIPS_JAVA_HOME",  # of `chips engines`
        "CHIPS_READY_FD",  # from `chips up` to its processes
        "CHIPS_CRASH_AT",  # of `streams.crashpoints`, as the next
        "CHIPS_CRASH_DEATHS",
    }
)
"""Variables that are no settings, with who reads them; those of the tests begin with ``CHIPS_TEST_``."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set. Paths may be relative to the working directory; empty ones lie under `data`."""

    data: str = "data"
    """Folder of everything that has no place of its own."""
    project: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)")] = "default"
    """The project that a source without a rule belongs to."""
    bus: Url | Literal[""] = ""
    """``embedded://DIR`` or ``kafka://HOST:PORT,HOST:PORT``."""
    store: Url | Literal[""] = ""
    """``sqlite://FILE`` or ``cassandra://HOST:PORT,HOST:PORT/KEYSPACE``."""
    vault: str = ""
    """Inner zone only: originals, journal and keys. Give it an owner of its own in production."""
    blobs: str = ""
    """Outer zone: anonymized objects and results, by content."""
    subject_keys_file: str = ""
    """The key that wraps the keys of people's texts; for ``ui`` alone; empty: ``subjects.key`` in data."""
    dicom_host: str = "127.0.0.1"
    dicom_port: Port = 11112
    dicom_ae: Annotated[str, msgspec.Meta(pattern=r"^[ -\[\]-~]{1,16}$(?!\n)")] = "CHIPS"
    dicom_plain: bool = True
    """Listen on `dicom_port`, without TLS."""
    dicom_tls_port: Port = 2762
    """Listened on, with TLS, when there is a certificate."""
    dicom_tls_certificate_file: str = ""
    """PEM; with the certificates between it and its authority. Read again when it changes."""
    dicom_tls_key_file: str = ""
    dicom_tls_client_ca_file: str = ""
    """The authorities of senders' certificates."""
    dicom_tls_client_certificate: Literal["required", "optional", "none"] = "required"
    dicom_associations: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    """At once, of all sources; beyond, a requestor is told to come again later."""
    dicom_associations_per_address: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 32
    """At once, from one address: so that nobody takes all."""
    dicom_accept: Literal["any", "standard"] = "any"
    """Storage classes and transfer syntaxes that are taken, where a source does not say: all, or DICOM's."""
    sources_file: str = ""
    """TOML: who may send, and what each may; empty: everybody. Read again when it changes."""
    dicom_processes: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Processes that receive images; 0: one a core, four at most. 1: the gateway's own."""
    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    health_port: Port = 9110
    """Where gateway answers /healthz, /readyz and /metrics; arrivals, anonymization, dispatch, feeds and
    runner do so at the five ports after it, and ``ui`` at its own. 0: nowhere."""
    public_url: str = ""
    """The address that browsers use, for the Origin check; empty: http://HOST:PORT."""
    trusted_proxies: str = ""
    """Addresses and networks (CIDR, separated by commas) of proxies whose X-Forwarded-For is believed."""
    quiet_s: Seconds = 10.0
    """A series without a new image for so long is settled, s."""
    settle_s: Seconds = 1.0
    """How long after its association ended a series is settled, s."""
    lease_s: Seconds = 20.0
    """How long a runner's lease lasts without being renewed, s."""
    attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    """How often a job is tried."""
    runner_slots: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """Containers that a runner starts side by side."""
    isolation: Literal["auto", "docker", "subprocess"] = "auto"
    """auto: Docker Engine when it answers, else a limited subprocess, marked as such."""
    docker_host: str = ""
    """Docker Engine's address; empty: DOCKER_HOST or the local socket."""
    policy: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] = "basic"
    """The de-identification policy: a ready one's name or the path of a document; inner zone only."""
    disk_reserve_mb: Annotated[int, msgspec.Meta(ge=0)] = 512
    """Free space below which images are refused as out of resources, MiB."""
    disk_low_mb: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Free space below which new associations are refused, MiB; 0: twice `disk_reserve_mb`."""
    journal_most: Annotated[int, msgspec.Meta(ge=0)] = 1_000_000
    """Journal entries without confirmation of the bus above which new associations are refused; 0: never."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = ""
    kafka_credentials_file: str = ""
    """TOML with username and password."""
    kafka_ca_file: str = ""
    kafka_certificate_file: str = ""
    kafka_key_file: str = ""
    kafka_replication: Annotated[int, msgspec.Meta(ge=1, le=7)] = 1
    kafka_min_isr: Annotated[int, msgspec.Meta(ge=1, le=7)] = 1
    cassandra_datacenter: str = "datacenter1"
    cassandra_replication: Annotated[int, msgspec.Meta(ge=1, le=7)] = 1
    cassandra_credentials_file: str = ""
    """TOML with username and password."""
    cassandra_tls: bool = False
    """Speak TLS, trusting the system's authorities; naming one of the files below means the same."""
    cassandra_ca_file: str = ""
    cassandra_certificate_file: str = ""
    cassandra_key_file: str = ""

    def path(self, name: Literal["bus", "store", "vault", "blobs"]) -> Path:
        """Give the folder (or file) of a local engine or of the vault or blobs."""
        set_to = getattr(self, name)
        if set_to:
            return Path(set_to.partition("://")[2] if "://" in set_to else set_to)
        return Path(self.data) / ("store.db" if name == "store" else name)

    @property
    def origin(self) -> str:
        """The address that browsers use, with its default filled in."""
        return self.public_url.rstrip("/") or f"http://{self.http_host}:{self.http_port}"

    @property
    def bus_url(self) -> str:
        """The bus, with its default filled in."""
        return self.bus or f"embedded://{self.path('bus')}"

    @property
    def store_url(self) -> str:
        """The store, with its default filled in."""
        return self.store or f"sqlite://{self.path('store')}"


class Shown(NamedTuple):
    """One line of ``chips config show``."""

    name: str
    value: str
    source: str


class Loaded(NamedTuple):
    """Settings and where each came from."""

    settings: Settings
    sources: Mapping[str, str]

    def show(self) -> list[Shown]:
        """List each setting as it takes effect, with its source. Secrets live in files: none is a setting."""
        settings = self.settings
        effective = {
            "bus": settings.bus_url,
            "store": settings.store_url,
            "vault": str(settings.path("vault")),
            "blobs": str(settings.path("blobs")),
            "public_url": settings.origin,
            "docker_host": settings.docker_host or "(DOCKER_HOST, or the local socket)",
        }
        return [
            Shown(
                name,
                effective.get(name) or str(getattr(settings, name)) or "(none)",
                self.sources.get(name, "default"),
            )
            for name in Settings.__struct_fields__
        ]


def load(environment: Mapping[str, str], directory: Path) -> Loaded:
    """Read settings.

    Raises
    ------
    streams.errors.Misconfigured
        When the file or a variable is wrong, unknown, or does not fit the others; names the setting and what
        it takes.
    """
    named = environment.get("CHIPS_CONFIG")
    file = Path(named) if named else directory / "chips.toml"
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if named or file.is_file():
        values |= _read(file)
        sources |= dict.fromkeys(values, str(file))
    for variable, text in environment.items():
        if _is_setting(variable):
            name = variable.removeprefix(PREFIX).lower()
            values[name] = text
            sources[name] = variable
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Misconfigured(_explain(str(error), sources)) from error
    if wrong := list(problems(settings)):
        raise Misconfigured(" ".join(wrong))
    return Loaded(settings, sources)


def _is_setting(variable: str) -> bool:
    """Tell whether a variable of the environment is a setting; one that only looks so is refused."""
    if not variable.startswith(PREFIX) or variable in READ_ELSEWHERE or variable.startswith("CHIPS_TEST_"):
        return False
    known = {f"{PREFIX}{name.upper()}" for name in Settings.__struct_fields__}
    if variable not in known:
        raise Misconfigured(f"There is no setting {variable}{_nearest(variable, known | READ_ELSEWHERE)}.")
    return True


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f": is it {close[0]}? Unset it otherwise" if close else ": unset it"


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(
            f"Cannot read settings from {file}: {error.strerror}. Correct CHIPS_CONFIG."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file} is not TOML: {error}") from error


def _explain(problem: str, sources: Mapping[str, str]) -> str:
    reason, _, place = problem.partition(" - at `$.")
    name = place.rstrip("`")
    if not name and "unknown field" in reason:
        unknown = reason.rpartition("`")[0].rpartition("`")[2]
        return f"There is no setting {unknown} in the file{_nearest(unknown, Settings.__struct_fields__)}."
    if not name:
        return f"Settings: {reason}. `chips config show` lists those that exist."
    return f"Setting {name} (from {sources.get(name, 'default')}): {reason}"
