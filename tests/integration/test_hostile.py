"""Bad input against a running gateway: all of `tests.hostile`, with a good association open meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests import wire
from tests.bench.processes import peak_mb, resident_mb, tree
from tests.door import DoorProcess, make_topics, settings_in, until
from tests.engines.ports import free_port
from tests.hostile.case import ACCEPTED, ECHO, ON, OPENING, RELEASE, RELEASED, Case, values, written
from tests.hostile.table import CASES
from tests.reception import incoming

ANSWER_S = 5.0
MORE_MB = 64.0
DEFECTS = ("association.failed", "object.failed", "gateway.worker", "Traceback")
SECRETS = ("SYNTH-47", "evil", "passwd", "script")


class Gateway:
    def __init__(self, folder: Path, processes: int) -> None:
        self.folder = folder
        self.settings = settings_in(folder / "data", dicom_port=free_port(), dicom_processes=processes)
        asyncio.run(make_topics(self.settings))
        self.log = folder / "log"
        self.door = DoorProcess(self.settings, self.log)
        self.pid = self.door.process.pid
        self.processes = tree(self.pid)
        self.said = 0
        self.images = 0

    @property
    def port(self) -> int:
        return self.settings.dicom_port

    @property
    def vault(self) -> Path:
        return self.settings.path("vault")

    def incoming(self) -> list[Path]:
        return incoming(self.vault, self.pid)

    def originals(self) -> list[Path]:
        return [path for path in (self.vault / "objects").rglob("*") if path.is_file()]

    def outside(self) -> set[Path]:
        """Files beside the vault, but for those of SQLite."""
        return {
            path
            for path in self.folder.rglob("*")
            if self.vault not in path.parents and not path.name.endswith(("-wal", "-shm", "-journal"))
        }

    def rested(self) -> float:
        """Forget the highest memory so far; give what there is, MB."""
        for pid in tree(self.pid):
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        return resident_mb(self.pid)

    def new_lines(self) -> str:
        text = self.log.read_text()
        new, self.said = text[self.said :], len(text)
        return new

    def good(self) -> bytes:
        """An object that nobody else has."""
        self.images += 1
        uid = f"1.2.40.{self.images}".encode()
        return wire.store(written(values(0, "good") | {0x00080018: wire.uid(uid)}), uid, on=ON[wire.EXPLICIT])


@pytest.fixture(scope="module", params=[1, 2], ids=["one-process", "two-workers"])
def gateway(request, tmp_path_factory):
    made = Gateway(tmp_path_factory.mktemp("hostile"), request.param)
    with wire.Line(made.port) as line:  # what is loaded at the first object is no memory of a case
        line.say(OPENING + made.good() + RELEASE)
        assert [line.hear() for _ in range(3)] == [ACCEPTED, "status 0000", RELEASED]
    yield made
    made.door.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}-{case.name}")
def test_bad_input_is_answered_and_disturbs_nobody(gateway: Gateway, case: Case):
    kept, names, sent = len(gateway.originals()), gateway.outside(), case.sends()
    before = gateway.rested()
    with wire.Line(gateway.port, ANSWER_S) as good:
        good.say(OPENING)
        assert good.hear() == ACCEPTED

        with wire.Line(gateway.port, ANSWER_S) as line:
            line.say(sent)
            if case.ends:
                line.end()
            assert tuple(line.hear() for _ in case.answers) == case.answers
            if case.goes_on:
                line.say(ECHO)
                assert line.hear() == "status 0000"
                line.say(RELEASE)
                assert line.hear() == RELEASED

        good.say(gateway.good())
        assert good.hear() == "status 0000"
        good.say(RELEASE)
        assert good.hear() == RELEASED

    assert gateway.door.process.poll() is None
    assert tree(gateway.pid) == gateway.processes
    until(lambda: not gateway.incoming(), ANSWER_S)
    assert len(gateway.originals()) == kept + case.keeps + 1
    assert all(len(path.name) == 64 for path in gateway.originals())
    assert gateway.outside() == names
    assert not Path("/tmp/evil").exists()
    assert peak_mb(gateway.pid) - before < MORE_MB
    said = gateway.new_lines()
    assert not [word for word in (*DEFECTS, *SECRETS) if word in said]
