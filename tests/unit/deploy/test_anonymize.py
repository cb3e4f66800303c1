from __future__ import annotations

import io
import json
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from agents.anonymization.files import run
from agents.anonymization.files.passes import Progress
from agents.anonymization.files.tallies import Told
from deploy.anonymize import Bar, KeySource, anonymize, cores, tell
from deploy.keys import new
from streams.errors import Rejected, Unavailable


@pytest.fixture
def called(tmp_path, monkeypatch):
    """Call the command with its run replaced; gives its status, and the job in ``called.job``."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_text("x")
    new(tmp_path / "study.key", project="default", passphrase=False, passphrase_file=None)

    def work(result=None, **options):
        def anonymize_files(job, **_):
            work.job = job
            if isinstance(result, BaseException):
                raise result
            return (
                run.Summary([Told("anonymized", None, "", 1)], 0, complete=True) if result is None else result
            )

        monkeypatch.setattr(run, "anonymize_files", anonymize_files)
        chosen = {
            "policy": "basic",
            "key": KeySource(tmp_path / "study.key"),
            "manifest": tmp_path / "m.jsonl",
            **options,
        }
        return anonymize(chosen.pop("source", tmp_path / "in"), chosen.pop("out", tmp_path / "out"), **chosen)

    return work


def summary(*, complete=True, gone=0, **files):
    told = [
        Told(result.replace("_", "-"), None if result == "anonymized" else "x", "Why.", number)
        for result, number in files.items()
    ]
    return run.Summary(told, gone, complete)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (summary(anonymized=3), 0),
        (summary(anonymized=3, quarantined=2, left_out=1, duplicate=4), 0),
        (summary(quarantined=2), 0),
        (summary(anonymized=3, failed=1), 1),
        (summary(complete=False, anonymized=3), 130),
        (summary(left_out=3), 64),
        (summary(), 64),
        (Unavailable("full"), 75),
        (Rejected("wrong"), 64),
    ],
)
def test_the_status_says_whether_every_file_is_accounted_for(called, result, status):
    assert called(result) == status


def test_reasons_are_told_with_their_numbers(tmp_path, capsys):
    tell(summary(anonymized=3000, quarantined=12, gone=2), tmp_path / "m.jsonl", tmp_path / "report")
    told = capsys.readouterr().out
    assert "3,000 anonymized" in told
    assert "quarantined        12  Why." in told
    assert "2 files that the manifest knows are no longer there" in told
    assert "report.html" in told
    assert "it identifies" in told
    assert "chips policy test" in told


@pytest.mark.parametrize(
    ("width", "shown", "hidden"),
    [
        (40, ("30/120",), ("quarantined", "left")),
        (80, ("30/120", "20 anonymized, 10 quarantined"), ("left",)),
        (120, ("30/120", "20 anonymized, 10 quarantined", "left"), ()),
    ],
)
def test_the_bar_shows_what_the_terminal_has_room_for(width, shown, hidden):
    now = iter(range(10_000))
    printed = Console(width=width, file=io.StringIO(), force_terminal=True, get_time=lambda: next(now))
    with Bar(printed) as bar:
        bar.show(Progress("reading", 219, None, {}))
        bar.refresh()
        assert "219/?" in printed.file.getvalue()
        for done in range(31):
            bar.show(Progress("anonymizing", done, 120, {"anonymized": 20, "quarantined": done - 20}))
        bar.refresh()
        last = printed.file.getvalue().rpartition("Anonymizing")[2]
    assert all(one in last for one in shown), last
    assert not any(one in last for one in hidden)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (summary(anonymized=3, quarantined=2), 0),
        (summary(anonymized=3, failed=1), 1),
        (summary(anonymized=3, complete=False), 130),
        (summary(left_out=2), 64),
    ],
)
def test_a_script_gets_one_json_object(called, tmp_path, capsys, result, status):
    assert called(result, as_json=True, report=tmp_path / "report") == status
    found = json.loads(capsys.readouterr().out)
    assert found["complete"] == result.complete
    assert found["accounted_for"] == result.accounted_for
    assert {name for name, files in found["files"].items() if files} == {one.result for one in result.results}
    assert sum(one["files"] for one in found["reasons"]) == sum(found["files"].values()) - result.files(
        "anonymized"
    )
    assert (found["report"] is not None) == result.complete
    assert found["manifest"] == str(tmp_path / "m.jsonl")


@pytest.mark.parametrize("workers", [0, -1, 257])
def test_a_wrong_number_of_workers_is_told(called, capsys, workers):
    assert called(workers=workers) == 64
    assert f"not {workers}" in capsys.readouterr().err


def test_all_cores_are_used_unless_told_otherwise(called):
    called()
    assert called.job.workers == cores()
    called(workers=3)
    assert called.job.workers == 3


def test_an_unknown_policy_is_told(called, capsys):
    assert called(policy="basics") == 64
    assert "basics" in capsys.readouterr().err


def test_what_identifies_must_not_lie_in_the_output(called, tmp_path, capsys):
    assert called(key=KeySource(tmp_path / "out" / "study.key")) == 64
    assert "--key-file" in capsys.readouterr().err


def test_a_report_goes_into_the_output_but_not_into_the_input(called, tmp_path):
    assert called(report=tmp_path / "out" / "report") == 0
    assert called.job.compared
    assert called(report=tmp_path / "in" / "report") == 64


def test_the_first_signal_is_answered_and_the_second_ends_it(called, capfd):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        called()
        signal.raise_signal(signal.SIGTERM)
        assert "Stopping after the files under way" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_report_that_cannot_be_written_is_told_before_the_run(called, tmp_path, capsys):
    (tmp_path / "taken").write_text("x")
    assert called(report=tmp_path / "taken") == 75
    assert not hasattr(called, "job")
    assert str(tmp_path / "taken") in capsys.readouterr().err


def test_a_project_of_the_key_file_can_be_named(called, tmp_path, capsys):
    assert called(key=KeySource(tmp_path / "study.key", project="default")) == 0
    assert called(key=KeySource(tmp_path / "study.key", project="other")) == 64
    assert "no key of the project other" in capsys.readouterr().err


HEAVY = {
    *("faust", "mode", "aiokafka", "confluent_kafka", "cassandra", "docker", "aiohttp", "pynetdicom"),
    *("SimpleITK", "onnxruntime", "prometheus_client", "uuid_utils", "agents.consume", "streams.store"),
}


@pytest.mark.parametrize("command", ["anonymize", "keys", "--help"])
def test_nothing_of_the_service_is_loaded(tmp_path, command):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "readme").write_text("x")
    arguments = {
        "anonymize": [
            "in",
            "out",
            "--policy=basic",
            "--key-file=k",
            "--manifest=m",
            "--workers=1",
            "--report=r",
        ],
        "keys": ["new", "other"],
        "--help": [],
    }[command]
    new(tmp_path / "k", project="default", passphrase=False, passphrase_file=None)
    code = (
        "import sys\n"
        "from deploy.cli import main\n"
        f"sys.argv = ['chips', {command!r}, *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    status = end.code\n"
        "import agents.anonymization.files.working\n"
        "print('loaded', status, *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    _, status, *loaded = done.stdout.splitlines()[-1].split()
    assert status == ("64" if command == "anonymize" else "0"), done.stdout + done.stderr
    assert "agents.anonymization.files.working" in loaded
    assert HEAVY & set(loaded) == set()
