"""The JSON Schema of policies: committed, and of one mind with the reader."""

from __future__ import annotations

import collections
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agents.anonymization.policy import pages
from agents.anonymization.policy.problems import WrongPolicy
from agents.anonymization.policy.reading import read
from agents.anonymization.policy.ready import POLICIES
from agents.anonymization.standard.codes import OPTION_CODES

SCHEMA = json.loads(pages.SCHEMA.read_bytes())
VALIDATOR = Draft202012Validator(SCHEMA)


def follows(document) -> bool:
    try:
        read(json.dumps(document).encode(), as_json=True)
    except WrongPolicy:
        return False
    return True


def test_nothing_generated_has_drifted():
    assert pages.main(["--check"]) == 0


def test_drift_is_seen(tmp_path, monkeypatch, capsys):
    page, schema = pages.PAGE.read_text(), pages.SCHEMA
    for name in ("PAGE", "SCHEMA"):
        monkeypatch.setattr(pages, name, tmp_path / getattr(pages, name).name)
    assert pages.drift() == ["policy.schema.json", "policies.md"]
    pages.PAGE.write_text(page.replace("| `clean_descriptors` | E.3.5 |", "| `clean_descriptors` | E.3.6 |"))
    assert pages.main(["--check"]) == 1
    assert (
        "policies.md has drifted: run `python -m agents.anonymization.policy.pages`"
        in capsys.readouterr().err
    )
    assert pages.main([]) == 0
    assert pages.PAGE.read_text() == page
    assert pages.SCHEMA.read_bytes() == schema.read_bytes()
    pages.PAGE.write_text("")
    with pytest.raises(ValueError, match="no place for fields"):
        pages.rendered("")


def test_the_schema_is_one_and_says_what_each_field_takes():
    Draft202012Validator.check_schema(SCHEMA)
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        assert all(len(field["description"]) > 5 for field in part["properties"].values())
        for field in part["properties"].values():
            if "default" in field:
                rule = {"$defs": SCHEMA["$defs"], **field}
                assert Draft202012Validator(rule).is_valid(field["default"])


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_ready_policies_fit(policy):
    VALIDATOR.validate(policy.document())


JUNK = st.sampled_from([None, True, 0, -1, 1.5, "", "x", [], {}, [1], {"x": 1}])


def sometimes(good, *bad):
    """Something good but for one time in thirty: a document that is wrong in one place alone says most."""
    return st.integers(0, 29).flatmap(lambda number: st.one_of(JUNK, *bad) if number == 7 else good)


def fields(required=(), **optional):
    return st.fixed_dictionaries(dict(required), optional=optional)


NUMBERS = sometimes(st.sampled_from([1, 65535]), st.sampled_from([-1, 0, 65536]))
NAMES = {
    "keep": "StudyDescription",
    "remove": "SeriesDate",
    "empty": "OperatorsName",
    "dummy": "DeviceSerialNumber",
    "uid": "DeviceUID",
    "shift": "(0008,0020)",
    "clean": "ImageComments",
    "replace": "StationName",
}
"""An attribute that each action can be done to, so that the dictionary has nothing to say."""
WHY = sometimes(st.just("a reason"), st.sampled_from(["  ", "y" * 200, "y" * 201]))
VALUE = sometimes(st.sampled_from(["SCANNER", None]), st.sampled_from(["a\\b", "é", "z" * 65, "A\n", 7]))


@st.composite
def overrides(draw):
    found = {}
    for action, name in draw(st.lists(st.sampled_from(sorted(NAMES.items())), max_size=2)):
        acting = sometimes(st.just(action), st.just("drop"))
        override = draw(sometimes(fields({"action": acting}.items(), value=VALUE, why=WHY)))
        if isinstance(override, dict) and draw(st.integers(0, 9)):
            if action in ("keep", "shift", "clean"):
                override = {**override, "why": "a reason"}
            if action == "replace":
                override = {**override, "value": "SCANNER"}
            else:
                override = {name: value for name, value in override.items() if name != "value"}
        found[name] = override
    if draw(st.integers(0, 29)) == 7:
        found[draw(st.sampled_from(["Study Date", "", "(0008,00200)", "Œuvre", "StudyDate\n"]))] = {
            "action": "remove"
        }
    return found


BOX = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(list)
CONDITION = sometimes(st.just("US"), st.just("c" * 65))
REGION = fields(
    {"boxes": sometimes(st.lists(BOX, min_size=1, max_size=2), st.just([]))}.items(),
    modality=CONDITION,
    model=CONDITION,
    rows=sometimes(NUMBERS),
)
PRIVATE = st.dictionaries(
    sometimes(st.sampled_from(["MAKER:0019,xx0a", "A:B:7FD1,XX01"]), st.just("MAKER:0018,xx0a")).filter(
        lambda name: isinstance(name, str)
    ),
    WHY,
    max_size=2,
)
CONFLICTING = [
    *("retain_longitudinal_full_dates", "retain_longitudinal_modified_dates", "retain_uids"),
    *("clean_pixel_data", "retain_safe_private"),
]
DOCUMENTS = fields(
    {
        "name": sometimes(st.just("mine"), st.sampled_from(["Mine", "m\n", "a" * 17, "1a"])),
        "version": sometimes(st.just(1), st.sampled_from([0, 1.0, 10**9, "1"])),
    }.items(),
    format=sometimes(st.just(1), st.just(2), st.just(1.0)),
    profile=sometimes(st.just("basic")),
    description=sometimes(st.just("d"), st.sampled_from(["d" * 1000, "d" * 1001])),
    options=sometimes(
        st.lists(st.sampled_from(sorted(OPTION_CODES)), max_size=5, unique=True)
        | st.lists(st.sampled_from(CONFLICTING), max_size=4, unique=True)
        | st.lists(st.sampled_from(["clean_descriptors", "clean_graphics"]), max_size=2),
        st.just(["none"]),
    ),
    attributes=sometimes(overrides()),
    dates=sometimes(
        fields(at_most_days=sometimes(st.sampled_from([365, 30, 3650, 90.0]), st.sampled_from([29, 3651])))
    ),
    pseudonyms=sometimes(fields(prefix=sometimes(st.just("A-"), st.sampled_from(["a b", "a" * 17, "a\n"])))),
    regions=sometimes(st.lists(REGION, max_size=2)),
    safe_private=sometimes(PRIVATE),
    quarantine=sometimes(
        fields(
            modalities=sometimes(st.lists(st.sampled_from(["US", "MR"]), max_size=2), st.just(["us"])),
            sop_classes=sometimes(
                st.just(["1.2.840.10008.5.1.4.1.1.7"]), st.sampled_from([["1"], ["1."], [f"1.{'2' * 63}"]])
            ),
        )
    ),
    encrypt_for=sometimes(st.just([]), st.just(["PEM"])),
)


MOVED = {"name": "mine", "version": 1, "dates": {"at_most_days": 90}}


def test_schema_and_reader_give_the_same_verdict():
    verdicts = collections.Counter()

    @settings(max_examples=1000, deadline=None, database=None)
    @example(MOVED | {"attributes": {"StudyDate": {"action": "shift", "why": "x"}}}, "")
    @example(MOVED, "")
    @given(DOCUMENTS, st.sampled_from([*[""] * 29, "more"]))
    def compare(document, extra):
        if extra:
            document = document | {extra: 1}
        fits = VALIDATOR.is_valid(document)
        assert follows(document) == fits, [error.message for error in VALIDATOR.iter_errors(document)]
        verdicts[fits] += 1

    compare()
    assert min(verdicts[True], verdicts[False]) > 100, verdicts


@pytest.mark.parametrize(
    "document",
    [
        {"attributes": {"StudyDat": {"action": "remove"}}},
        {"attributes": {"PixelData": {"action": "shift", "why": "x"}}},
        {"attributes": {"PatientName": {"action": "remove"}}},
        {"quarantine": {"modalities": ["XYZ"]}},
    ],
)
def test_what_needs_the_dictionary_only_the_reader_knows(document):
    document |= {"name": "mine", "version": 1}
    VALIDATOR.validate(document)
    assert not follows(document)
