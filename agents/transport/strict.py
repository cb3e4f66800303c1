"""Repairs Faust 0.15's consumers: commit position, and the pause when full; mixed in before either driver."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from faust.types import TP
from faust.types.tuples import ack_lock
from mode.utils.futures import notify

from agents.transport.positions import Positions

FULL_NAP_S = 0.01
"""How soon a consumer whose buffers are full looks again, s."""


class StrictAcks:
    """Mix into a `faust.transport.base.Consumer`: what is not acknowledged is never committed past.

    Replaces the parts of Faust's consumer that note acknowledgements, for streams that acknowledge by hand
    (``stream.noack()``). One that lets Faust acknowledge by itself commits nothing.
    """

    app: Any
    _unacked_messages: Any
    _waiting_for_ack: Any
    _n_acked: int
    flow_active: bool
    _get_active_partitions: Any

    def __init__(self, transport: Any, callback: Any, *arguments: Any, **options: Any) -> None:
        self._positions: Positions[TP] = Positions()

        async def delivering(message: Any) -> None:
            # Here, because a stream notes a message only when it takes it out of its buffer.
            self._positions.delivered(message.tp, message.offset)
            await callback(message)

        super().__init__(transport, delivering, *arguments, **options)  # type: ignore[call-arg]  # of the driver

    def ack(self, message: Any) -> bool:
        """Note that a message is done; True when that was news."""
        with ack_lock:
            if message.acked:
                return False
            message.acked = True
            self._unacked_messages.discard(message)
            # Of an earlier assignment, or one that a stream skipped unread: it is delivered again.
            if message.generation_id != self.app.consumer_generation_id or not message.tracked:
                return False
            news = self._positions.acknowledged(message.tp, message.offset)
            self._n_acked += news
        notify(self._waiting_for_ack)
        return news

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Forget what was under way: its next owner begins at the committed position."""
        self._positions.forget(revoked)
        await super().on_partitions_revoked(revoked)  # type: ignore[misc]  # of the driver

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        """Forget what came between the revocation and the end of fetching: all begins at committed positions.

        A message noted then is never acknowledged. Were its partition to come back after another worker did
        it, it would hold the position for as long as this worker lives.
        """
        self._positions.forget(self._positions.partitions())
        await super().on_partitions_assigned(assigned, generation_id)  # type: ignore[misc]  # of the driver

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        # While every partition's buffer is full Faust sleeps a second, in which a quick handler runs dry.
        if self.flow_active and not self._get_active_partitions():
            await asyncio.sleep(FULL_NAP_S)
            return {}, set()
        return await super()._wait_next_records(timeout)  # type: ignore[misc]  # of the driver

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp for tp in self._positions.partitions() if topics is None or tp in topics or tp.topic in topics
        )

    def _new_offset(self, tp: TP) -> int | None:
        return self._positions.position(tp)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        return self._positions.is_news(tp, offset)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 - Faust's signature
        # Faust notes a commit that was refused in a rebalance as done, and would not make it again: when the
        # partition comes back, its last messages would be lag until others follow them.
        taken: bool = await super()._commit_offsets(offsets, start_new_transaction)  # type: ignore[misc]  # of the driver
        if taken:
            self._positions.committed(offsets)
        return taken
