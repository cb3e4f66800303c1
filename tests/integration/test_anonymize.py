"""``chips anonymize`` as it is typed, on the files that pydicom and pydicom-data bring."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import data_store
import pydicom
import pytest
from pydicom import datadict

from gateway.part10 import read_meta
from tests.stack import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

INPUTS = 250
PSEUDONYM = "PatientName", "pseudonym"
DISK = 1 << 20
SHORTEST = 5
"""Characters of values that are looked for: shorter ones occur by chance."""


class Chips:
    """The command, in a folder of its own."""

    def __init__(self, folder: Path, key_of: Chips | None = None) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHIPS_")},
            "PYTHONPATH": str(ROOT),
        }
        if key_of is None:
            self.run("keys", "new", "study.key")
        for name in ("study.key", "study.key.master") if key_of else ():
            (folder / name).write_bytes((key_of.folder / name).read_bytes())
            (folder / name).chmod(0o600)

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", *map(str, arguments)],
            cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments, status=0):
        with self.start(*arguments) as process:
            told, errors = process.communicate(timeout=300)
        assert process.returncode == status, told + errors
        return told + errors

    @property
    def manifest(self):
        return self.folder / "out.jsonl"

    def lines(self):
        return self.manifest.read_bytes().splitlines() if self.manifest.exists() else []

    def entries(self):
        found = [json.loads(line) for line in self.lines()]
        assert len({line["input"] for line in found}) == len(found)
        return {line["input"]: line for line in found}

    def outputs(self):
        """Visible files of OUT."""
        return {name: content for name, content in tree(self.folder / "out").items() if name[0] != "."}


def anonymize(source, *options, out="out", manifest="out.jsonl"):
    return (
        "anonymize", source, out, "--policy", "demo", "--key-file", "study.key", "--manifest", manifest,
        *options,
    )  # fmt: skip


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """All files, under names that could be a patient's."""
    folder = tmp_path_factory.mktemp("in")
    for module in (pydicom, data_store):
        data = Path(module.__file__).parent / "data"
        for number, path in enumerate(sorted(path for path in data.rglob("*") if path.is_file())):
            copy = folder / module.__name__ / path.parent.name / f"Mustermann-{number}{path.suffix}"
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, source):
    """What one run with two workers and a report gives, and what it says."""
    chips = Chips(tmp_path_factory.mktemp("undisturbed"))
    return chips, chips.run(*anonymize(source, "--workers", "2", "--report", "report"))


@pytest.fixture(scope="module")
def few(tmp_path_factory, source):
    """A third of the files, and what an undisturbed run makes of them."""
    folder = tmp_path_factory.mktemp("few")
    for path in sorted(path for path in source.rglob("*") if path.is_file())[::3]:
        copy = folder / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    chips = Chips(tmp_path_factory.mktemp("few-undisturbed"))
    chips.run(*anonymize(folder))
    return folder, chips


def test_every_file_is_accounted_for(source, undisturbed):
    chips, told = undisturbed
    found = chips.entries()
    inputs = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert len(inputs) >= INPUTS
    assert found.keys() == inputs
    results = Counter(line["result"] for line in found.values())
    assert results["failed"] == 0
    assert results["anonymized"] > 80
    assert results["left-out"] >= 8
    for line in found.values():
        assert (line["result"] == "anonymized") == ("output" in line) == ("sha256" in line)
        assert (line["result"] in ("quarantined", "left-out")) == ("reason" in line)
        assert line["policy"].startswith("demo/")
    for name, number in results.items():
        assert f"{number:,} {'no objects' if name == 'left-out' else name}" in told
    reasons = {line["reason"] for line in found.values() if line["result"] == "left-out"}
    assert reasons == {"not-dicom", "media-directory"}


def test_outputs_are_those_of_the_manifest_under_pseudonyms(undisturbed):
    chips, told = undisturbed
    files = tree(chips.folder / "out")
    assert files.keys() == {line["output"] for line in chips.entries().values() if "output" in line}
    for name, content in files.items():
        assert re.fullmatch(r"[0-9a-f]{32}(/2\.25\.[0-9]{39}){3}\.dcm", name), name
        assert read_meta(content).text(0x00020003) == Path(name).stem
    assert chips.manifest.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in chips.folder.iterdir()) == [
        "out", "out.jsonl", "report", "study.key", "study.key.master", "study.lock",
    ]  # fmt: skip
    assert "Mustermann" not in told


def test_again_it_does_nothing_and_says_the_same(source, undisturbed):
    chips, told = undisturbed
    manifest, report = chips.manifest.read_bytes(), tree(chips.folder / "report")
    before = {path: path.stat() for path in (chips.folder / "out").rglob("*.dcm")}
    again = chips.run(*anonymize(source, "--report", "report"))
    assert {path: path.stat() for path in (chips.folder / "out").rglob("*.dcm")} == before
    assert chips.manifest.read_bytes() == manifest
    assert again.splitlines()[-10:] == told.splitlines()[-10:]
    made = re.compile(rb"20\d\d-\d\d-\d\d")
    for name, content in tree(chips.folder / "report").items():
        assert made.sub(b"", content) == made.sub(b"", report[name])


def test_one_worker_gives_what_two_give(tmp_path, source, undisturbed):
    other, _ = undisturbed
    chips = Chips(tmp_path, key_of=other)
    chips.run(*anonymize(source, "--workers", "1", "--sync", "each"))
    assert chips.outputs() == other.outputs()
    assert chips.lines() == other.lines()


def test_another_key_gives_other_pseudonyms_and_uids(tmp_path, few):
    source, other = few
    chips = Chips(tmp_path)
    chips.run(*anonymize(source))
    ours, theirs = ({*"/".join(one.outputs()).split("/")} for one in (chips, other))
    assert len(ours) == len(theirs) > 50
    assert not ours & theirs


@pytest.mark.parametrize(
    ("number", "shares"),
    [(signal.SIGKILL, (0.2, 0.5, 0.8)), (signal.SIGINT, (0.5,)), (signal.SIGTERM, (0.5,))],
)
def test_ended_in_the_middle_it_goes_on_where_it_was(tmp_path, few, number, shares):
    source, other = few
    chips = Chips(tmp_path, key_of=other)
    total, written = len(other.lines()), 0
    for share in shares:
        process = chips.start(*anonymize(source, "--workers", "2"))
        wait_for_lines(chips, share * total, process)
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == (130 if number != signal.SIGKILL else -signal.SIGKILL)
        assert written < len(chips.lines()) < total
        written = len(chips.lines())
        # What is visible is whole.
        assert chips.outputs().items() <= other.outputs().items()
    chips.run(*anonymize(source))
    assert tree(chips.folder / "out") == other.outputs()
    assert chips.lines() == other.lines()
    assert not list(chips.folder.glob(".*"))


def wait_for_lines(chips, number, process, seconds=120):
    deadline = time.monotonic() + seconds
    while len(chips.lines()) < number and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of `DISK` bytes; gives its folder and what makes it large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
    try:
        yield folder, lambda: subprocess.run(["mount", "-o", "remount,size=256m", folder], check=True)
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("full", ["out", "manifest"])
def test_a_full_disk_is_told_and_with_room_it_goes_on(tmp_path, few, small_disk, full):
    source, other = few
    folder, enlarge = small_disk
    chips = Chips(tmp_path, key_of=other)
    place = {"out": folder / "out"} if full == "out" else {"manifest": folder / "out.jsonl"}
    out, manifest = place.get("out", tmp_path / "out"), place.get("manifest", tmp_path / "out.jsonl")
    if full == "manifest":
        (folder / "ballast").write_bytes(bytes(DISK - 40 * 1024))
    told = chips.run(*anonymize(source, **place), status=75)
    assert "run the same command again" in told
    assert "full" in told
    assert tree(out).items() < other.outputs().items()
    enlarge()
    chips.run(*anonymize(source, **place))
    assert tree(out) == other.outputs()
    assert manifest.read_bytes() == other.manifest.read_bytes()


# -- the report


def test_the_report_counts_what_the_manifest_says(undisturbed):
    chips, _ = undisturbed
    report = json.loads((chips.folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["files"] == Counter(line["result"] for line in chips.entries().values())
    assert report["compared"] == report["files"]["anonymized"]
    assert sum(series["anonymized"] for series in report["each_series"]) == report["compared"]
    assert report["series"] == len(report["each_series"])
    out = [one for one in report["each_series"] if one["anonymized"]]
    named = {f"{one['patient']}/{one['study']}/{one['series']}" for one in out}
    assert named == {str(Path(name).parent) for name in chips.outputs()}
    of_all = Counter()
    for series in report["each_series"]:
        for one in series["attributes"]:
            of_all[one["attribute"], one["done"], one["reason"]] += one["objects"]
            assert one["objects"] <= series["compared"]
    told = {(one["attribute"], one["done"], one["reason"]): one["objects"] for one in report["attributes"]}
    assert of_all == told
    pseudonyms = [number for (name, done, _), number in told.items() if (name, done) == PSEUDONYM]
    assert sum(pseudonyms) > 80


def texts_of(path):
    """Give the texts of an object, at every depth, and the words in them."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    found = set()
    for element in (*dataset.iterall(), *dataset.file_meta):
        if element.VR == "SQ" or isinstance(element.value, bytes):
            continue
        many = isinstance(element.value, pydicom.multival.MultiValue)
        for value in element.value if many else [element.value]:
            text = str(value).strip("\0 ")
            found |= {text, *re.split(r"[\^=\\,;\s]+", text)}
    return found


def page_of(folder):
    texts = (html.unescape((folder / name).read_text("utf-8")) for name in ("report.html", "report.json"))
    return "\n".join(texts)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_report_has_no_value_of_any_object(tmp_path, source, undisturbed):
    other, _ = undisturbed
    chips = Chips(tmp_path, key_of=other)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme").write_text("no object")
    chips.run(*anonymize("empty", "--report", "baseline"), status=64)
    texts, messages = set(), set()
    for name, line in other.entries().items():
        messages.add(line.get("message", ""))
        with contextlib.suppress(Exception):  # what pydicom can't read either
            texts |= texts_of(source / name)
    # What a report has whatever the objects are: texts of its own, names of attributes, reasons.
    names = [datadict.dictionary_description(tag) for tag in datadict.DicomDictionary]
    keywords = map(json.dumps, datadict.keyword_dict)
    ours = "\n".join((page_of(tmp_path / "baseline"), *messages, *names, *keywords)).lower()
    telling = {text for text in texts if len(text) >= SHORTEST and text.lower() not in ours}
    assert len(telling) > 5000
    page = page_of(other.folder / "report")
    assert {
        text for text in telling if text in page and re.search(rf"(?<![\w.]){re.escape(text)}(?![\w.])", page)
    } == set()
