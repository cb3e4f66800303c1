"""What a source may use: associations, time, bytes; counted over all processes, and given back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct

import pytest

from gateway.storing import Storing
from tests.door import (
    image,
    request_pdu,
    until,
    workers,
)
from tests.knocking import association, comes_in, door_of, push, refusal

PROCESSES = pytest.mark.parametrize("processes", [1, 2])
CALLING, CALLED, NO_REASON = (1, 1, 3), (1, 1, 7), (1, 1, 1)


@PROCESSES
async def test_associations_of_a_source_are_bounded_over_all_processes(tmp_path, processes):
    text = (
        '[source.ct]\ncalling_ae = ["CT1"]\nlimits = {associations = 3}\n[source.mr]\ncalling_ae = ["MR1"]\n'
    )
    async with door_of(tmp_path, text, processes) as door:

        def talk():
            with contextlib.ExitStack() as stack:
                held = [stack.enter_context(association(door.port)) for _ in range(3)]
                assert all(one.is_established for one in held)
                # transient, presentation service provider, local limit exceeded (PS3.8 9.3.4)
                assert refusal(door.port) == (2, 3, 2)
                with association(door.port, "MR1") as other:
                    assert other.is_established
                held[0].release()
                with association(door.port) as again:
                    assert again.is_established
                held[1].abort()
                until(lambda: door.metric("associations_ended_total", outcome="aborted") == 1)
                with association(door.port) as again, association(door.port) as more:
                    assert again.is_established
                    assert more.is_established
            until(lambda: door.metric("associations_rejected_total", reason="source-limit") == 1)

        await asyncio.to_thread(talk)


async def test_who_hears_that_it_is_released_can_come_again_at_once(tmp_path):
    text = '[source.ct]\ncalling_ae = ["CT1"]\nlimits = {associations = 1}\n'
    async with door_of(tmp_path, text) as door:

        def talk():
            with socket.create_connection(("127.0.0.1", door.port), 30) as first:
                first.sendall(request_pdu("CT1"))
                kind, length = struct.unpack(">BxI", first.recv(6, socket.MSG_WAITALL))
                assert (kind, len(first.recv(length, socket.MSG_WAITALL))) == (2, length)
                assert refusal(door.port) == (2, 3, 2)
                first.sendall(bytes((5, 0, 0, 0, 0, 4, 0, 0, 0, 0)))
                assert first.recv(10, socket.MSG_WAITALL)[0] == 6
                # It has not even closed its connection.
                assert refusal(door.port) is None

        await asyncio.to_thread(talk)


async def test_what_a_source_sends_over_its_hour_is_not_even_written(tmp_path, monkeypatch):
    text = '[source.ct]\ncalling_ae = ["CT1"]\nlimits = {mb_per_hour = 1}\n'
    spools = []
    spool = Storing.spool
    monkeypatch.setattr(Storing, "spool", lambda *given: spools.append(1) or spool(*given))
    monkeypatch.setattr("gateway.dimse.storage._OVER_S", 60.0)
    async with door_of(tmp_path, text) as door:

        def talk():
            with association(door.port) as made:
                for side in (512, 600, 600, 600):
                    push(made, image(side=side))

        await asyncio.to_thread(talk)
        await door.comes_to(3, "refused_total", reason="over-quota")
    assert len(spools) == 2, "one that was stored, and one of which its size was not known before"


async def test_a_worker_that_dies_leaves_no_association_counted(tmp_path):
    text = '[source.ct]\ncalling_ae = ["CT1"]\nlimits = {associations = 1}\n'
    async with door_of(tmp_path, text, 2) as door:

        def talk():
            with association(door.port) as made:
                assert refusal(door.port) == (2, 3, 2)
                for worker in workers():
                    os.kill(worker, signal.SIGKILL)
                until(lambda: not made.is_established)

            until(lambda: comes_in(door.port))

        await asyncio.to_thread(talk)


@PROCESSES
async def test_bytes_of_an_hour_and_of_an_object_are_bounded(tmp_path, processes):
    text = (
        '[source.ct]\ncalling_ae = ["CT1"]\nlimits = {mb_per_hour = 1}\n'
        '[source.mr]\ncalling_ae = ["MR1"]\nlimits = {object_mb = 1}\n'
    )
    async with door_of(tmp_path, text, processes) as door:

        def talk():
            with association(door.port) as one, association(door.port) as two:
                assert push(one, image(side=512))[0] == 0
                status, comment = push(two, image(side=600))
                assert (status, "later" in comment) == (0xA700, True)
                assert push(two, image(side=600))[0] == 0xA700
            with association(door.port, "MR1") as other:
                assert push(other, image(side=700))[0] == 0
                status, comment = push(other, image(side=800))
                assert (status, "operator" in comment) == (0x0124, True)
                assert push(other, image(side=700))[0] == 0
            until(lambda: door.metric("refused_total", reason="over-quota") == 2)
            until(lambda: door.metric("refused_total", reason="too-large") == 1)
            assert door.incoming() == []
            assert len(door.originals()) == 3

        await asyncio.to_thread(talk)


async def test_an_association_lasts_as_long_as_its_source_may(tmp_path):
    text = '[source.ct]\ncalling_ae = ["CT1"]\nlimits = {association_s = 0.5}\n'
    async with door_of(tmp_path, text) as door:

        def talk():
            with association(door.port, echo=True) as made:

                def ends():
                    if made.is_established:
                        made.send_c_echo()
                    return made.is_aborted

                until(ends)

        await asyncio.to_thread(talk)
