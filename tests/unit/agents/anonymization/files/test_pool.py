from __future__ import annotations

import os
import time

import pytest

from agents.anonymization.files.pool import Context, Lost, Pool, Task
from streams.errors import Unavailable
from tests.pooled import Doing


@pytest.fixture(scope="module")
def pool():
    with Pool(2, Doing()) as pool:
        yield pool


def ask(pool, *tasks, **options):
    return sorted(pool.run((Task(task) for task in tasks), **options), key=str)


def test_every_task_has_its_answer(pool):
    tasks = [("say", number) for number in range(100)]
    assert ask(pool, *tasks) == sorted(((task, task[1]) for task in tasks), key=str)


def test_tasks_are_taken_as_there_is_room(pool):
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield Task(("say", number))

    answers = pool.run(tasks(), ahead=1)
    next(answers)
    assert len(taken) <= 2 * 2 + 2
    assert len(list(answers)) == 99


def test_large_answers_and_large_contexts_do_not_block_each_other(pool):
    big = 1 << 20
    tasks = [
        Task(("big", big), Context(str(number // 10), lambda number=number: bytes(big)))
        for number in range(60)
    ]
    assert sum(len(answer) for _, answer in pool.run(tasks)) == 60 * big


def test_a_task_is_worked_on_in_its_context(pool):
    tasks = [Task(("known", n), Context(f"c{n // 3}", lambda n=n: n // 3)) for n in range(30)]
    assert all(answer == what[1] // 3 for what, answer in pool.run(tasks))


def test_a_task_that_kills_is_given_up_and_costs_no_other(pool):
    tasks = [("say", number) for number in range(12)]
    tasks.insert(3, ("die", None))
    answers = dict(ask(pool, *tasks))
    assert answers.pop(("die", None)) == Lost(late=False)
    assert answers == {task: task[1] for task in tasks if task[0] == "say"}
    assert len(ask(pool, *tasks[:3])) == 3


def test_a_death_that_was_not_the_tasks_is_forgiven(pool, tmp_path):
    assert ask(pool, ("die-once", str(tmp_path / "mark")), ("say", 1)) == [
        (("die-once", str(tmp_path / "mark")), "alive"),
        (("say", 1), 1),
    ]


def test_a_task_that_takes_too_long_is_given_up(pool, tmp_path):
    never, soon = str(tmp_path / "never"), [Task(("say", number)) for number in range(5)]
    began = time.monotonic()
    answers = dict(pool.run([Task(("wait", never), limit_s=0.3), *soon]))
    assert answers[("wait", never)] == Lost(late=True)
    assert len(answers) == 6
    assert time.monotonic() - began < 60


def test_workers_that_died_idle_are_replaced(pool):
    ask(pool, ("say", 1), ("say", 2))
    for worker in pool._workers:
        worker._process.kill()
        worker._process.join()
    assert ask(pool, ("say", 1), ("say", 2), ("say", 3)) == [(("say", n), n) for n in (1, 2, 3)]


def test_a_pool_that_does_not_start_is_told():
    with pytest.raises(Unavailable, match="don't start"), Pool(1, Doing(unready=True)):
        pass


def test_workers_end_with_the_pool():
    with Pool(1, Doing()) as pool:
        ((_, pid),) = ask(pool, ("pid", None))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
