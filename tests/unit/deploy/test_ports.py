from __future__ import annotations

import socket

import pytest

from deploy.ports import PROCESSES, check_free, health_port, wanted
from streams.coherence import HEALTH_PORTS
from streams.errors import Misconfigured
from streams.settings import Settings


def test_each_process_has_the_port_after_the_one_before():
    settings = Settings()
    assert [health_port(settings, name) for name in PROCESSES] == list(range(9110, 9116))
    assert len(PROCESSES) == HEALTH_PORTS
    assert {health_port(Settings(health_port=0), name) for name in PROCESSES} == {0}


def test_all_that_is_listened_on_is_wanted():
    assert wanted(Settings(http_host="::1", health_port=0)) == {
        ("127.0.0.1", 11112): "CHIPS_DICOM_PORT",
        ("::1", 8080): "CHIPS_HTTP_PORT",
    }
    assert len(wanted(Settings())) == 8
    secured = Settings(dicom_plain=False, dicom_tls_certificate_file="c", health_port=0)
    assert wanted(secured) == {
        ("127.0.0.1", 2762): "CHIPS_DICOM_TLS_PORT",
        ("127.0.0.1", 8080): "CHIPS_HTTP_PORT",
    }


def test_a_taken_port_is_told_with_its_setting():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = ("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(Misconfigured, match=rf"127.0.0.1:{place[1]} is taken \(set CHIPS_HTTP_PORT\)"):
            check_free({place: "CHIPS_HTTP_PORT"})
    check_free({place: "CHIPS_HTTP_PORT"})


def test_an_address_of_another_machine_is_told():
    with pytest.raises(Misconfigured, match=r"203.0.113.1:1234 can't be had: .*CHIPS_DICOM_PORT"):
        check_free({("203.0.113.1", 1234): "CHIPS_DICOM_PORT"})
