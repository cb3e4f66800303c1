"""The ports that this machine's processes listen on, and whether they can."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Mapping

from schemas.catalogue import AGENTS
from streams.errors import Misconfigured
from streams.settings import Settings

PROCESSES = ("gateway", *AGENTS, "runner")
"""Processes with a health port, in the order of their ports; ``ui`` answers on its own."""


def health_port(settings: Settings, process: str) -> int:
    """Give the health port of a process: the setting is the first one's; 0: none. Pure."""
    return settings.health_port and settings.health_port + PROCESSES.index(process)


def wanted(settings: Settings) -> dict[tuple[str, int], str]:
    """Give every (host, port) that `chips up` listens on, with the setting it comes from. Pure."""
    places = {(settings.http_host, settings.http_port): "CHIPS_HTTP_PORT"}
    if settings.dicom_plain:
        places[settings.dicom_host, settings.dicom_port] = "CHIPS_DICOM_PORT"
    if settings.dicom_tls_certificate_file:
        places[settings.dicom_host, settings.dicom_tls_port] = "CHIPS_DICOM_TLS_PORT"
    health = [health_port(settings, process) for process in PROCESSES]
    places |= {(settings.http_host, port): "CHIPS_HEALTH_PORT" for port in health}
    return {(host, port): setting for (host, port), setting in places.items() if port}


def check_free(places: Mapping[tuple[str, int], str]) -> None:
    """Look whether every port can be had.

    Raises
    ------
    streams.errors.Misconfigured
        When some can't; names them with the settings that choose others.
    """
    troubles = [
        f"{host}:{port} {why} (set {setting})"
        for (host, port), setting in places.items()
        if (why := _trouble(host, port))
    ]
    if troubles:
        raise Misconfigured(f"Can't listen on {', '.join(troubles)}.")


def all_free(host: str, ports: Iterable[int]) -> bool:
    """Tell whether all of these ports can be had."""
    return not any(_trouble(host, port) for port in ports)


def _trouble(host: str, port: int) -> str:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return "is taken" if error.errno == errno.EADDRINUSE else f"can't be had: {error.strerror}"
    except OverflowError:
        return "is no port"
    return ""
