"""A whole CHIPS of its own for a test: `chips up` as a user starts it, on either tier."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from schemas.catalogue import AGENTS, CONSUMES
from streams.opening import open_admin
from streams.settings import Settings, load
from streams.store.opening import open_store
from tests.engines.ports import free_ports

PASSWORD = "correct horse battery"
ROOT = Path(__file__).parent.parent
PROCESSES = ["gateway", *AGENTS, "runner", "ui"]
"""What `chips up` keeps running."""


@dataclass
class Stack:
    """`chips up` in a folder; every path and port its own."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.dicom_port, self.http_port = free_ports(2)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHIPS_")},
            "PYTHONPATH": str(ROOT),
            "CHIPS_DATA": str(self.folder / "data"),
            "CHIPS_VAULT": str(self.folder / "vault"),
            "CHIPS_BLOBS": str(self.folder / "blobs"),
            "CHIPS_DICOM_PORT": str(self.dicom_port),
            "CHIPS_HTTP_PORT": str(self.http_port),
            "CHIPS_HEALTH_PORT": "0",
            "CHIPS_POLICY": "demo",
            "CHIPS_QUIET_S": "3",
            "CHIPS_SETTLE_S": "0.5",
            "CHIPS_LEASE_S": "5",
            "CHIPS_PASSWORD": PASSWORD,
            **self.extra,
        }
        self.log = self.folder / "chips.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def settings(self) -> Settings:
        return load(self.environment, self.folder).settings

    def chips(
        self, *arguments: str, timeout: float = 120, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run another chips command beside it."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env=self.environment,
            cwd=self.folder,
            timeout=timeout,
            text=True,
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, (
            f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def start(self, timeout: float = 90) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.cli", "up"],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.until(lambda: self.ready() or self._ended(), timeout, "readiness")

    def _ended(self) -> bool:
        assert self.process
        assert self.process.poll() is None, f"chips up ended:\n{self.tail()}"
        return False

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            with urlopen(f"{self.url}/readyz", timeout=2) as answer:
                if answer.status != 200:
                    return False
            with socket.create_connection(("127.0.0.1", self.dicom_port), timeout=2):
                return True
        return False

    def stop(self) -> int:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise AssertionError(f"chips up did not stop:\n{self.tail()}") from None

    def kill(self, name: str) -> int | None:
        """kill -9 one of its processes; None when it is not running right now."""
        try:
            pid = int((self.folder / "data" / "run" / f"{name}.pid").read_text())
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        return pid

    def until(self, condition: Any, timeout: float, what: str) -> Any:
        """Wait for a condition, bounded; the log's end is shown when it does not come."""
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited {timeout} s for {what}\n{self.tail()}"
            time.sleep(0.1)
        return found

    def until_logged(self, text: str, timeout: float) -> None:
        """Wait until its log says something."""
        self.until(lambda: text in self.log.read_text(errors="replace"), timeout, f"{text} in the log")

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def add_user(self, name: str, display_name: str) -> None:
        self.chips("user", "add", name, "--display-name", display_name)

    def session(self, name: str = "ana") -> Session:
        return Session(self.url, name)


class Session:
    """A logged-in client of the HTTP API."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._cookie, self._csrf = url, "", ""
        with self._open("POST", "/api/login", {"name": name, "password": PASSWORD}) as answer:
            self._cookie = answer.headers["Set-Cookie"].split(";")[0]
            self._csrf = json.load(answer)["csrf"]

    def get(self, path: str) -> Any:
        with self._open("GET", path) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> Any:
        with self._open("POST", path, body) as answer:
            return json.load(answer)

    def cards(self) -> list[dict[str, Any]]:
        return self.get("/api/feeds")["cards"]

    def _open(self, method: str, path: str, body: Any = None) -> Any:
        request = Request(f"{self._url}{path}", method=method)
        request.add_header("Cookie", self._cookie)
        request.add_header("X-CSRF-Token", self._csrf)
        request.add_header("Origin", self._url)
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        return urlopen(request, timeout=30)


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Start it, make the account `ana`, and stop it in the end."""
    stack.start()
    try:
        stack.add_user("ana", "Ana Kim")
        yield stack
    finally:
        stack.stop()


SOON = timedelta(minutes=2)
"""Deadlines beyond are not under way: a series whose association's end nobody told is looked at later."""


async def under_way(stack: Stack) -> list[str]:
    """Tell what is under way: messages not consumed, open jobs, deadlines."""
    settings = stack.settings
    admin, store = open_admin(settings), await open_store(settings)
    try:
        return [
            *[
                f"{agent} lags in {topic} by {lag}"
                for agent in AGENTS
                for topic, lag in (await admin.lag(f"chips-{agent}", CONSUMES[agent])).items()
                if lag
            ],
            *[f"open job {job}" for job in await store.jobs.list()],
            *[
                f"deadline {deadline}"
                for deadline in await store.deadlines.due("series", datetime.now(UTC) + SOON)
            ],
        ]
    finally:
        await store.close()
        await admin.close()


def wait_quiescent(stack: Stack, timeout: float) -> None:
    """Wait until nothing has been under way twice in a row."""
    deadline, left, quiet = time.monotonic() + timeout, [""], 0
    while quiet < 2:
        assert time.monotonic() < deadline, f"after {timeout} s still under way: {left}\n{stack.tail()}"
        left = asyncio.run(under_way(stack))
        quiet = 0 if left else quiet + 1
        time.sleep(0.1)
