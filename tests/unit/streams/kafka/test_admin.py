"""Topics are made when clients are told of them, not when the controller has made them."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from schemas.catalogue import PACS
from streams.errors import Unavailable
from streams.kafka import admin as module
from streams.kafka.admin import KafkaAdmin


class Cluster:
    """Tells of its topics at the `late`-th question after they are made."""

    def __init__(self, late: int) -> None:
        self.late = late
        self.asked = 0
        self.made: list[str] = []

    def list_topics(self, timeout: float) -> SimpleNamespace:
        self.asked += bool(self.made)
        told = self.made if self.asked >= self.late else []
        return SimpleNamespace(topics={name: SimpleNamespace(error=None) for name in told})

    def create_topics(self, wanted, request_timeout):
        self.made = [topic.topic for topic in wanted]
        done: Future[None] = Future()
        done.set_result(None)
        return dict.fromkeys(self.made, done)


def admin_of(cluster: Cluster, monkeypatch) -> KafkaAdmin:
    admin = KafkaAdmin(SimpleNamespace(), topics=[PACS])  # type: ignore[arg-type]
    monkeypatch.setattr(admin, "_open", lambda: cluster)
    return admin


async def test_a_topic_of_which_no_client_is_told_yet_is_waited_for(monkeypatch):
    cluster = Cluster(late=3)
    admin = admin_of(cluster, monkeypatch)
    assert await admin.create_topics() == [PACS.name]
    assert cluster.asked == 3
    assert await admin.create_topics() == []


async def test_one_of_which_none_is_ever_told_is_away(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.3)
    with pytest.raises(Unavailable, match=PACS.name):
        await admin_of(Cluster(late=1000), monkeypatch).create_topics()
