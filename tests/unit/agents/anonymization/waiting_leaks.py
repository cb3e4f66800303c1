"""Leaks and losses that parts of the engine still to come close. Not collected: each moves to its test then.

``pytest tests/unit/agents/anonymization/waiting_leaks.py`` runs them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path

import pydicom
import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.known import KnownValues
from agents.anonymization.outcome import Anonymized, Quarantine
from gateway.identity import ProjectKey
from tests.canaries.all_traps import TRAPS
from tests.canaries.checks import KEY, NOTHING, RETAIN, anonymized, judged, policy_with
from tests.canaries.classes import IMAGES
from tests.canaries.dictionary_objects import LONGEST, TRUSTED, unlisted
from tests.canaries.digests import digests, digests_elsewhere, objects
from tests.canaries.drawn import legible
from tests.canaries.drawn_objects import MARKED, UNMARKED
from tests.canaries.finding import Finder, decoded
from tests.canaries.hostile import HOSTILE
from tests.canaries.limits import MEGABYTES, SECONDS, costs
from tests.canaries.oracle import own_rows
from tests.canaries.person import make_person
from tests.canaries.planting import words_of
from tests.canaries.real import about, files, head
from tests.canaries.table_objects import TEXTS, Filler, about_class, full_file
from tests.canaries.traps import Trap, say, setting
from tests.canaries.validity import new_errors
from tests.canaries.waiting import ALL_WAITING, TOO_COSTLY
from tests.canaries.words import Words
from tests.canaries.writing import NATIVE, written

OTHER = ProjectKey(project="default", secret=bytes(range(100, 132)))
CLEAN = "clean_pixel_data", "clean_graphics", "clean_structured_content", "clean_descriptors"
DATES = "retain_longitudinal_modified_dates"
RESEARCH = (*CLEAN, DATES, "retain_patient_characteristics", "retain_device_identity")
EVERYTHING = (*CLEAN, *RETAIN, "retain_safe_private")
CLEANING = *CLEAN[1:], DATES, "retain_safe_private"


def nothing_gets_through(name: str, *options: str) -> None:
    trap = TRAPS[name]()
    result = anonymize(trap.content, key=KEY, policy=policy_with(*options))
    assert isinstance(result, Quarantine) or trap.left(result.content) == []


@pytest.mark.parametrize("name", sorted(ALL_WAITING))
def test_nothing_gets_through(name):
    nothing_gets_through(name)


@pytest.mark.parametrize("options", [RESEARCH, EVERYTHING], ids=["research", "everything"])
@pytest.mark.parametrize("name", TRAPS)
def test_nothing_gets_through_when_text_is_kept(name, options):
    # What an option retains, it retains in texts as well
    if options is EVERYTHING and name in RETAINED:
        pytest.skip("the policy keeps it")
    nothing_gets_through(name, *options)


RETAINED = {
    "text: study date",
    "text: uids in text",
    "text: sentence 15",
    "text: sentence 16",
    "text: department",
    "text: city",
    "file: an instance UID in the meta information that the data set does not have",
}
"""Dates of the study, UIDs, institution and its address, kept by some of all options."""


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("option", CLEANING)
def test_of_an_option_that_cleans_survives_what_its_rows_keep(option, syntax):
    content, canaries = full_file(1, syntax)
    assert judged(content, canaries, policy_with(option)) == NOTHING


@pytest.mark.parametrize("options", [RESEARCH, EVERYTHING], ids=["research", "everything"])
def test_of_many_options_survives_what_their_rows_keep(options):
    content, canaries = full_file(1)
    assert judged(content, canaries, policy_with(*options)) == NOTHING


@pytest.mark.parametrize(
    "options", [(), CLEAN, RESEARCH, EVERYTHING], ids=["basic", "clean", "research", "all"]
)
def test_no_text_that_is_kept_names_the_patient(options):
    """Every text of the table, at every place, says something of the person."""
    words = Words(51)
    person = make_person(words)
    said = cycle(person.sentences()[:12] + person.sentences()[13:15])
    with pydicom.config.disable_value_validation():
        made = setting(51)
        filler = Filler(Words(52), text=lambda vr: next(said)[: LONGEST.get(vr, 64)])
        filler.everywhere(made.data)
        person.describe(made.data)
    trap = Trap(written(made.data), person._replace(seen=words.day(), institution="", street="", city=""), {})
    result = anonymize(trap.content, key=KEY, policy=policy_with(*options))
    assert isinstance(result, Anonymized)
    assert trap.left(result.content) == []
    assert len([canary for canary in filler.canaries if canary.vr in TEXTS]) > 3000


def test_no_unlisted_text_names_the_patient():
    made = setting(8)
    with pydicom.config.disable_value_validation():
        for (tag, vr), text in zip(unlisted(*TRUSTED), cycle(made.person.sentences()), strict=False):
            made.data.add_new(tag, vr, text[: LONGEST[vr]])
    trap = Trap(written(made.data), made.person, {})
    assert trap.left(anonymized(trap.content).content) == []


@pytest.mark.parametrize("kind", ["us", "us frames", "sc", "cr", "sr", "pdf", "cda", "ecg", "pr"])
def test_objects_that_can_be_cleaned_come_out_clean(kind):
    content, canaries = about_class(kind, 31)
    verdict = judged(content, canaries, policy_with(*CLEAN))
    assert verdict.leaks == []
    assert verdict.reason == ""


@pytest.mark.parametrize("name", MARKED)
def test_what_is_drawn_is_blacked_out(name):
    drawn = MARKED[name]()
    result = anonymize(drawn.content, key=KEY, policy=policy_with(*CLEAN))
    assert isinstance(result, Anonymized), result
    out = decoded(result.content)
    assert legible(out, drawn.lines) == []
    assert out.BurnedInAnnotation == "NO"


@pytest.mark.parametrize("name", UNMARKED)
def test_what_is_drawn_and_not_marked_does_not_get_out(name):
    drawn = UNMARKED[name]()
    result = anonymize(drawn.content, key=KEY, policy=policy_with(*CLEAN))
    assert isinstance(result, Quarantine) or legible(decoded(result.content), drawn.lines) == []


def test_nine_in_ten_of_all_objects_come_out_when_all_is_cleaned():
    person = make_person(Words(5))
    search = Finder(words_of(person), {"born": person.born, "seen": person.seen})
    reasons: dict[str, list[str]] = {}
    for path in files():
        source = about(path.read_bytes(), person) or path.read_bytes()
        result = anonymize(source, key=KEY, policy=policy_with(*RESEARCH))
        reasons.setdefault(getattr(result, "reason", "out"), []).append(path.name)
        if isinstance(result, Anonymized):
            assert search.find(head(result.content, source)) == [], path.name
    for reason, names in sorted(reasons.items(), key=lambda one: -len(one[1])):
        print(f"{len(names):4} {reason}: {', '.join(names[:5])}")
    judged_ones = sum(
        len(names) for reason, names in reasons.items() if reason not in ("bad-uid", "not-part10")
    )
    assert len(reasons["out"]) >= 0.9 * judged_ones


@pytest.mark.parametrize("name", TOO_COSTLY)
def test_hostile_files_cost_little(tmp_path, name):
    (tmp_path / "a.dcm").write_bytes(HOSTILE[name]())
    (cost,) = costs([tmp_path / "a.dcm"])
    assert cost.seconds <= SECONDS
    assert cost.megabytes <= MEGABYTES


@pytest.mark.parametrize("group", ["nesting", "bomb", "lie", "size", "cycle"])
def test_hostile_files_cost_little_when_all_is_cleaned(tmp_path, group):
    names = [name for name in HOSTILE if name.startswith(group)]
    paths = [tmp_path / f"{number}.dcm" for number, _ in enumerate(names)]
    for name, path in zip(names, paths, strict=True):
        path.write_bytes(HOSTILE[name]())
    measured = zip(names, costs(paths, EVERYTHING), strict=True)
    assert [
        (name, *cost) for name, cost in measured if cost.seconds > SECONDS or cost.megabytes > MEGABYTES
    ] == []


@pytest.mark.parametrize("options", [RESEARCH, EVERYTHING], ids=["research", "everything"])
def test_another_process_gives_the_same_bytes(options):
    assert digests_elsewhere(options, {"PYTHONHASHSEED": "5", "TZ": "Asia/Kathmandu"}) == digests(options)


@pytest.mark.parametrize(
    "options", [("retain_uids",), RESEARCH, EVERYTHING], ids=["uids", "research", "everything"]
)
def test_outputs_have_no_new_error(tmp_path: Path, options):
    found = {}
    for name, source in objects():
        result = anonymize(source, key=KEY, policy=policy_with(*options))
        if isinstance(result, Anonymized) and (wrong := new_errors(source, result.content, tmp_path)):
            found[name] = dict(wrong)
    assert found == {}


def test_uids_of_dummies_are_uids():
    out = decoded(anonymized(full_file(1)[0], "retain_uids").content)
    assert [
        str(element.tag)
        for element in out.iterall()
        if element.VR == "UI" and element.value and not all(uid.is_valid for uid in _several(element.value))
    ] == []


def _several(value) -> list[pydicom.uid.UID]:
    values = value if isinstance(value, list | pydicom.multival.MultiValue) else [value]
    return [pydicom.uid.UID(one) for one in values]


def test_full_dates_are_declared_to_be_unmodified():
    out = decoded(anonymized(full_file(1)[0], "retain_longitudinal_full_dates").content)
    assert out.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert own_rows("retain_longitudinal_full_dates")


def dates_of(content: bytes) -> dict[str, date]:
    """Give every date and the date of every date and time, by path."""
    return {
        f"{number} {element.tag}": datetime.strptime(str(element.value)[:8], "%Y%m%d")
        .replace(tzinfo=UTC)
        .date()
        for number, element in enumerate(decoded(content).iterall())
        if element.VR in ("DA", "DT") and str(element.value)[:8].isdigit()
    }


def test_dates_of_a_patient_move_alike():
    shifts = set()
    for seed in (1, 2):
        words = Words(60)
        person = make_person(words)._replace(seen=Words(seed).day())
        data = IMAGES["pet"](words, person)
        data.ImageComments = f"seen on {person.seen:%d.%m.%Y}"
        source = written(data)
        before, after = dates_of(source), dates_of(anonymized(source, DATES, "clean_descriptors").content)
        assert before.keys() >= after.keys()
        assert len(after) >= 3
        moved = {(before[path] - after[path]).days for path in after}
        assert len(moved) == 1
        shifts |= moved
        out = decoded(anonymized(source, DATES, "clean_descriptors").content)
        assert out.StudyTime == data.StudyTime
        assert out.LongitudinalTemporalInformationModified == "MODIFIED"
    assert len(shifts) == 1
    assert 1 <= shifts.pop() <= 365


def test_patients_and_projects_move_by_days_of_their_own():
    moved = []
    for seed, key in ((1, KEY), (2, KEY), (3, KEY), (1, OTHER)):
        words = Words(seed)
        source = written(IMAGES["pet"](words, make_person(words)))
        after = dates_of(anonymized(source, DATES, key=key).content)
        moved.append(next((dates_of(source)[path] - day).days for path, day in after.items()))
    assert len(set(moved)) > 2


SAFE = {
    ("SIEMENS MR HEADER", 0x0019000C): ("IS", "800"),
    ("GEMS_ACQU_01", 0x00190023): ("DS", "0.5"),
    ("Philips Imaging DD 001", 0x20010003): ("FL", 800.0),
}
"""Some of Table E.3.10-1."""


@pytest.mark.parametrize("block", [0x10, 0x5A])
@pytest.mark.parametrize(("creator", "tag"), SAFE)
def test_safe_private_attributes_stay_and_no_others(creator, tag, block):
    made = setting()
    said = {name: made.words.word() for name in ("other", "creator", "beside", "under another")}
    vr, value = SAFE[creator, tag]
    group = tag & 0xFFFF0000
    made.data.add_new(group | block, "LO", creator)
    made.data.add_new(tag | block << 8, vr, value)
    made.data.add_new(group | block << 8 | 0xF7, "LO", said["beside"])
    made.data.add_new(group | (block + 1), "LO", said["creator"])
    made.data.add_new(tag | (block + 1) << 8, "LO", said["under another"])
    made.data.add_new(group | (block + 2), "LO", creator)
    made.data.add_new(tag | (block + 2) << 8, "LO", said["other"])
    trap = made.trap(**said)
    result = anonymized(trap.content, "retain_safe_private")
    assert trap.left(result.content) == []
    out = decoded(result.content)
    private = [element for element in out if element.tag.is_private]
    assert [one.value for one in private if one.tag.is_private_creator] == [creator]
    assert [one.value for one in private if not one.tag.is_private_creator] == [value]


def test_values_that_only_the_study_knows_are_found():
    made = setting()
    other = made.words.word()
    made.data.ProtocolName = made.data.SeriesDescription = f"compared with {other}"
    say(made.data, f"as {other} , before")
    trap = made.trap(other=other)
    policy = policy_with("clean_descriptors")
    result = anonymize(trap.content, key=KEY, policy=policy, study=KnownValues([other.encode()]))
    assert isinstance(result, Anonymized)
    assert trap.left(result.content) == []
