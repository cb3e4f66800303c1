"""A runner without its engine: unready with the reason, taking no lease, and asking seldom."""

from __future__ import annotations

import asyncio

import pytest

from agents.dispatch.runner import engine_watch
from agents.dispatch.runner.engine_watch import EngineWatch
from agents.dispatch.runner.steps import Ended
from streams.errors import Unavailable
from tests.integration.running import Shop


class Engine:
    """A runtime whose engine can be taken away; steps end at once, badly."""

    isolation = "docker"

    def __init__(self):
        self.away = ""
        self.asked = self.ran = 0

    async def check(self):
        self.asked += 1
        if self.away:
            raise Unavailable(self.away)

    async def run(self, step, _on_line, on_started):
        self.ran += 1
        await self.check()
        await on_started()
        return Ended(cause="it ran", seconds=0.0, output=step.folder / "output")

    async def remove(self, _step):
        pass

    async def sweep(self, _is_over):
        return 0


@pytest.fixture
def engine():
    return Engine()


async def test_what_is_away_is_told_and_forgotten_when_it_is_back(engine):
    watch = EngineWatch(engine, lambda: None)
    assert (watch.problem, watch.answers) == (None, False)
    engine.away = "Docker Engine: no such socket"
    await watch.ask()
    assert (watch.problem, watch.answers) == ("Docker Engine: no such socket", False)
    engine.away = ""
    await watch.ask()
    assert (watch.problem, watch.answers) == (None, True)


async def test_an_engine_that_hangs_is_away(engine, monkeypatch):
    monkeypatch.setattr(engine_watch, "ANSWER_S", 0.05)
    monkeypatch.setattr(engine, "check", asyncio.Event().wait)
    watch = EngineWatch(engine, lambda: None)
    await watch.ask()
    assert "no answer" in watch.problem


async def test_a_doubt_is_looked_into_at_once_and_until_then_no_job_is_begun(engine):
    watch = EngineWatch(engine, lambda: None)
    asking = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(5):
            while not watch.answers:
                await asyncio.sleep(0)
            engine.away = "gone"
            watch.doubt()
            assert not watch.answers
            while watch.problem is None:
                await asyncio.sleep(0)
        assert engine.asked == 2
    finally:
        asking.cancel()


async def test_a_runner_without_an_engine_is_unready_takes_no_lease_and_goes_on_when_it_is_back(
    engine, tmp_path, monkeypatch
):
    monkeypatch.setattr(engine_watch, "PERIOD_S", 0.2)
    monkeypatch.setattr("agents.dispatch.runner.runner.POLL_S", 0.01)
    shop = Shop(tmp_path, engine, attempts=1)
    engine.away = "Docker Engine: connection refused"
    runner = shop.runner()
    order = await shop.order("measure")
    looks = 0
    listed = shop.store.jobs.list

    async def counted():
        nonlocal looks
        looks += 1
        return await listed()

    monkeypatch.setattr(shop.store.jobs, "list", counted)

    async def looked_often():
        return looks > 40

    await shop.until(looked_often, runner)
    assert runner.problems() == ["Docker Engine: connection refused"]
    assert await shop.holder(order) is None
    assert engine.ran == 0
    assert engine.asked < looks / 4  # it is asked by the clock, not by each look
    engine.away = ""
    await shop.until(shop.finished, runner)
    assert runner.problems() == []
    assert shop.failures() == ["it ran"]


async def test_a_job_that_the_engine_let_down_costs_one_lease(engine, tmp_path):
    shop = Shop(tmp_path, engine, attempts=1)
    await shop.order("measure")
    await shop.order("also this")
    runner = shop.runner()

    async def run(*_):
        engine.ran += 1
        engine.away = "Docker Engine: gone"
        raise Unavailable(engine.away)

    engine.run = run

    async def told():
        return bool(runner.problems())

    await shop.until(told, runner)
    assert runner.problems() == ["Docker Engine: gone"]
    assert engine.ran == 1


async def test_what_goes_wrong_beside_the_loop_ends_the_runner(engine, tmp_path, monkeypatch):
    async def broken(_is_over):
        raise KeyError("a label")

    monkeypatch.setattr(engine, "sweep", broken)
    async with asyncio.timeout(5):
        with pytest.raises(KeyError, match="a label"):
            await Shop(tmp_path, engine).runner().run(asyncio.Event())
