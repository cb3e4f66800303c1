"""The door with a file of sources: who comes in, as what, and what others hear."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from gateway.sources.passcodes import Passcode
from streams.errors import Misconfigured
from tests.certificates import Paper
from tests.dcmtk import dcmtk
from tests.door import (
    CT,
    command,
    image,
    published_when,
    refusals_when,
    stored,
    until,
    workers,
)
from tests.engines.ports import free_port
from tests.knocking import association, comes_in, door_of, identity, push, refusal

PROCESSES = pytest.mark.parametrize("processes", [1, 2])
CALLING, CALLED, NO_REASON = (1, 1, 3), (1, 1, 7), (1, 1, 1)


HERE = """
[source.ct]
calling_ae = ["CT1"]
called_ae = ["CHIPS"]
addresses = ["127.0.0.1"]
project = "trial-7"

[source.asker]
calling_ae = ["ASKER"]
permissions = ["echo"]

[source.far]
calling_ae = ["FAR"]
addresses = ["192.0.2.0/24"]
"""


@PROCESSES
async def test_a_source_comes_in_under_its_name_and_project_and_others_hear_why_not(tmp_path, processes):
    async with door_of(tmp_path, HERE, processes) as door:

        def talk():
            with association(door.port, echo=True) as made:
                assert push(made)[0] == 0
                assert made.send_c_echo().Status == 0
            with association(door.port, "ASKER", echo=True) as made:
                assert push(made)[0] == 0x0124
                assert made.send_c_echo().Status == 0
            assert refusal(door.port, "STRANGER") == CALLING
            assert refusal(door.port, "FAR") == CALLING
            assert refusal(door.port, called="OTHER") == CALLED
            until(lambda: door.metric("associations_rejected_total", reason="calling-ae") == 2)
            until(lambda: door.metric("associations_rejected_total", reason="called-ae") == 1)

        await asyncio.to_thread(talk)
        (event, end) = await published_when(door.settings, 2)
        assert len(stored([event])) == 1
        assert (event.data.origin, event.data.project, end.data.project) == ("ct", "trial-7", "trial-7")
        assert event.partitionkey.startswith("series/trial-7/")
        (original,) = door.originals()
        assert "trial-7" in original.parts


async def test_a_source_that_may_not_echo_has_no_context_for_it(tmp_path):
    text = '[source.ct]\ncalling_ae = ["CT1"]\npermissions = ["store"]\n'
    async with door_of(tmp_path, text) as door:

        def talk():
            with association(door.port, echo=True) as made:
                assert [str(cx.abstract_syntax) for cx in made.accepted_contexts] == [CT[0]]

        await asyncio.to_thread(talk)


@PROCESSES
async def test_rules_change_without_a_restart_and_broken_ones_change_nothing(tmp_path, processes):
    async with door_of(tmp_path, HERE, processes) as door:

        def talk():
            file = tmp_path / "sources.toml"
            with association(door.port) as before:
                file.write_text('[source.mr]\ncalling_ae = ["MR1"]\n')
                assert refusal(door.port) == CALLING
                with association(door.port, "MR1") as made:
                    assert push(made)[0] == 0
                file.write_text("[source.mr")
                with association(door.port, "MR1") as made:
                    assert made.is_established
                (note,) = door.notes()
                assert "not TOML" in note
                assert door.problems() == []
                file.write_text("")
                assert refusal(door.port, "MR1") == NO_REASON
                assert door.notes() == []
                assert push(before)[0] == 0, "who is in, stays in"

        await asyncio.to_thread(talk)


@pytest.mark.parametrize(
    ("kind", "primary", "secondary", "is_let_in"),
    [
        (1, b"ann", b"", True),
        (2, b"bob", b"right", True),
        (2, b"bob", b"wrong", False),
        (1, b"bob", b"", False),
        (2, b"eve", b"right", False),
        (3, b"ticket", b"", False),
        (4, b"<assertion/>", b"", False),
        (5, b"token", b"", False),
        (None, b"", b"", False),
    ],
)
async def test_user_identities_of_each_type(tmp_path, kind, primary, secondary, is_let_in):
    text = (
        '[source.ct]\ncalling_ae = ["CT1"]\n'
        f'users = [{{name = "ann"}}, {{name = "bob", passcode = "{Passcode.new(b"right")}"}}]\n'
        '[source.open]\ncalling_ae = ["OPEN"]\n'
    )
    async with door_of(tmp_path, text) as door:

        def talk():
            shown = identity(kind, primary, secondary) if kind else None
            if is_let_in:
                with association(door.port, identity=shown) as made:
                    assert made.is_established
                    answers = [
                        one for one in made.acceptor.user_information if hasattr(one, "server_response")
                    ]
                    assert len(answers) == 1
            else:
                assert refusal(door.port, identity=shown) == NO_REASON
                until(lambda: door.metric("associations_rejected_total", reason="user-identity") == 1)
            # Where a source has no users nobody looks, and nothing is affirmed.
            with association(door.port, "OPEN", identity=shown) as made:
                assert made.is_established
                assert not any(hasattr(one, "server_response") for one in made.acceptor.user_information)

        await asyncio.to_thread(talk)


async def test_dcmtk_shows_who_it_is(tmp_path):
    text = (
        '[source.ct]\ncalling_ae = ["CT1"]\n'
        f'users = [{{name = "bob", passcode = "{Passcode.new(b"right")}"}}]\n'
    )
    one = image()
    one.save_as(tmp_path / "one.dcm", enforce_file_format=True)
    async with door_of(tmp_path, text) as door:
        for passcode, code in (("right", True), ("wrong", False)):
            found, output = await command(
                dcmtk("storescu"),
                *("-aet", "CT1", "-aec", "CHIPS", "-usr", "bob", "-pwd", passcode, "-rsp"),
                *("127.0.0.1", str(door.port), str(tmp_path / "one.dcm")),
            )
            assert (found == 0) is code, output
        await door.comes_to(1, "stored_total")


@PROCESSES
async def test_a_certificate_tells_two_of_the_same_title_apart(tmp_path, processes):
    authority = Paper(tmp_path / "papers", "authority")
    ours, known, other = (Paper(tmp_path / "papers", name, authority) for name in ("chips", "known", "other"))
    text = f'[source.ct]\ncalling_ae = ["CT1"]\ncertificates = ["{known.fingerprint}"]\n'
    changes = {
        "dicom_tls_port": free_port(),
        "dicom_tls_certificate_file": str(ours.certificate),
        "dicom_tls_key_file": str(ours.key),
        "dicom_tls_client_ca_file": str(authority.certificate),
    }

    def tls(paper):
        return ["+tls", str(paper.key), str(paper.certificate), "+cf", str(authority.certificate)]

    async with door_of(tmp_path, text, processes, **changes) as door:
        for paper, is_let_in in ((known, True), (other, False)):
            code, output = await command(
                dcmtk("echoscu"),
                *tls(paper),
                *("-aet", "CT1", "127.0.0.1", str(changes["dicom_tls_port"])),
            )
            assert (code == 0) is is_let_in, output
        assert await asyncio.to_thread(refusal, door.port) == NO_REASON  # and the plain port has none
        await door.comes_to(2, "associations_rejected_total", reason="certificate")


@PROCESSES
async def test_refusals_are_events_and_a_flood_of_them_is_few(tmp_path, processes):
    async with door_of(tmp_path, HERE, processes) as door:

        def talk():
            for _ in range(30):
                refusal(door.port, "STRANGER")
            with association(door.port, "ASKER") as made:
                assert push(made)[0] == 0x0124
            with association(door.port) as made:
                assert push(made)[0] == 0
            until(lambda: door.metric("associations_rejected_total", reason="calling-ae") == 30)

        await asyncio.to_thread(talk)
        found = await refusals_when(door.settings, 2)
    # The end of the door tells what waited for the end of its minute.
    found = await refusals_when(door.settings, 31)
    strangers = [one for one in found if one.source == "STRANGER"]
    assert sum(one.count for one in strangers) == 30
    assert len(strangers) <= 2
    assert {(one.project, one.reason, one.address) for one in strangers} == {
        ("default", "calling-ae", "127.0.0.1")
    }
    (asked,) = [one for one in found if one.source == "asker"]
    assert (asked.reason, asked.count) == ("not-authorized", 1)
    assert asked.association


async def test_a_worker_that_dies_while_the_file_is_broken_has_the_rules_before(tmp_path):
    async with door_of(tmp_path, HERE, 2) as door:

        def talk():
            file = tmp_path / "sources.toml"
            file.write_text('[source.mr]\ncalling_ae = ["CT1"]\n')
            assert door.notes() == [], "the gateway itself looks at it, too"
            file.write_text("[source.mr")
            until(door.notes)
            for worker in workers():
                os.kill(worker, signal.SIGKILL)
            until(lambda: comes_in(door.port))
            assert refusal(door.port, "ASKER") == CALLING
            file.write_text(HERE)
            assert refusal(door.port, "ASKER") is None

        await asyncio.to_thread(talk)


@PROCESSES
async def test_a_door_with_rules_that_cant_be_followed_does_not_open(tmp_path, processes):
    with pytest.raises(Misconfigured, match=r"sources.toml.*TOML"):
        async with door_of(tmp_path, "[source.mr", processes):
            pass
