"""The engines that tests ask for. One that is missing fails its tests: nothing is skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from deploy.engines.pair import Engines
from tests.engines.run import FOLDER, TestRun, fresh_engines, shared_docker, shared_engines

_RUN = pytest.StashKey[TestRun]()


def pytest_configure(config: pytest.Config) -> None:
    # How long one example takes says how busy the machine is; tests have time limits of their own.
    hypothesis.settings.register_profile("chips", deadline=None)
    hypothesis.settings.load_profile("chips")
    # A worker's folder is its controller's, and `tests.layers` has one for all its runs.
    if FOLDER not in os.environ:
        config.stash[_RUN] = TestRun()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _RUN in config.stash:
        config.stash[_RUN].end()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # At once: a layer that is ended by its time limit ends without a summary.
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n== failed: {report.nodeid} ({report.when})\n{report.longreprtext[-2000:]}", flush=True)


@pytest.fixture(scope="session")
def kafka_bootstrap() -> str:
    """HOST:PORT of the run's Kafka, for every test: take topics of your own."""
    return shared_engines().kafka.address


@pytest.fixture(scope="session")
def cassandra_contact() -> str:
    """HOST:PORT of the run's Cassandra, for every test: take a keyspace of your own."""
    return shared_engines().cassandra.address


@pytest.fixture(scope="session")
def docker_socket() -> str:
    """Address of the run's Docker Engine (as DOCKER_HOST), with the base image in it."""
    return shared_docker()


@pytest.fixture
def own_engines(tmp_path: Path) -> Iterator[Engines]:
    """Kafka and Cassandra of this test alone, answering, to be killed and started again."""
    engines = fresh_engines(tmp_path / "engines")
    try:
        engines.up()
        yield engines
    finally:
        engines.down()
