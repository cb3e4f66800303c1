"""The table: all cases, and groups of bad input that other tests show."""

from __future__ import annotations

from typing import NamedTuple

from tests.hostile import objects, protocol, services
from tests.hostile.case import Case


class Elsewhere(NamedTuple):
    """Bad input that is no bytes on a plain port of a gateway that has all it needs."""

    group: int
    name: str
    answer: str
    test: str
    """FILE::TEST, below tests."""


CASES: tuple[Case, ...] = (*protocol.cases(), *objects.cases(), *services.cases())

_FAULTS, _TLS = "integration/test_gateway_faults.py", "integration/test_gateway_tls.py"
_SOURCES = "integration/test_gateway_sources.py"

ELSEWHERE = (
    Elsewhere(
        1,
        "Idle connections on the TLS port",
        "nothing; others come in",
        f"{_TLS}::test_connections_that_say_nothing_hinder_nobody",
    ),
    Elsewhere(
        5,
        "A request, a PDU or an object that drips",
        "aborted 2/0 when its time is over",
        "unit/gateway/test_dripping.py::test_what_drips_is_ended_when_its_time_is_over",
    ),
    Elsewhere(
        8,
        "A calling or called AE title or address that no source has",
        "rejected 1/1/3, 1/1/7",
        f"{_SOURCES}::test_a_source_comes_in_under_its_name_and_project_and_others_hear_why_not",
    ),
    Elsewhere(
        8,
        "No client certificate, an expired or a foreign one; TLS 1.0, TLS 1.1; weak ciphers",
        "a TLS alert",
        f"{_TLS}::test_others_do_not_get_in_and_are_counted_by_why",
    ),
    Elsewhere(
        9,
        "One association more than may be at once",
        "rejected 2/3/2",
        f"{_FAULTS}::test_associations_are_bounded_and_told_so",
    ),
    Elsewhere(
        24,
        "Names in a DICOMDIR or an archive that lead outside",
        "left out of `chips import`",
        "unit/gateway/importing/test_finding.py::test_a_dicomdir_leads_nowhere_else",
    ),
    Elsewhere(
        27,
        "A full disk",
        "status A700",
        f"{_FAULTS}::test_a_full_disk_is_said_and_it_goes_on_when_there_is_room",
    ),
    Elsewhere(
        27,
        "A bus that is away",
        "status 0000; told when it is back",
        f"{_FAULTS}::test_the_bus_away_refuses_nothing_and_then_hears_all_in_order",
    ),
)
