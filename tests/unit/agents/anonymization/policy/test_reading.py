"""Documents become policies, or everything that is wrong with them is told: where, and what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from agents.anonymization.policy import document
from agents.anonymization.policy.document import Dates, Override, Policy, Pseudonyms, QuarantineRules, Region
from agents.anonymization.policy.parsing import MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse
from agents.anonymization.policy.problems import WrongPolicy
from agents.anonymization.policy.reading import MOST_PROBLEMS, read, read_file
from streams.errors import Rejected

HEAD = "name: mine\nversion: 1\n"


def wrong(text: str | bytes, *, as_json: bool = False) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(WrongPolicy) as raised:
        read(content, as_json=as_json)
    return [raised.value.told(problem) for problem in raised.value.problems]


def certificate(key) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "reader")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


WHOLE = {
    "format": 1,
    "name": "whole",
    "version": 7,
    "description": "Everything that can be said.",
    "profile": "basic",
    "options": ["clean_pixel_data", "retain_longitudinal_modified_dates", "retain_safe_private"],
    "attributes": {
        "StudyDescription": {"action": "clean", "why": "it says what kind of study it is"},
        "(0008,1010)": {"action": "replace", "value": "SCANNER"},
        "EthnicGroups": {"action": "remove"},
    },
    "dates": {"at_most_days": 90},
    "pseudonyms": {"prefix": "SITE1-"},
    "regions": [{"boxes": [[0, 0, 100, 20], [5, 5, 1, 1]], "modality": "US", "rows": 480}],
    "safe_private": {"SIEMENS MR HEADER:0019,xx0c": "b value"},
    "quarantine": {"modalities": ["SR"], "sop_classes": ["1.2.840.10008.5.1.4.1.1.7"]},
}


def test_everything_that_can_be_said_is_read():
    policy = read(json.dumps(WHOLE).encode())
    assert policy == Policy(
        name="whole",
        version=7,
        description="Everything that can be said.",
        options=frozenset(WHOLE["options"]),
        attributes={
            "StudyDescription": Override(action="clean", why="it says what kind of study it is"),
            "StationName": Override(action="replace", value="SCANNER"),
            "(0010,2162)": Override(action="remove"),
        },
        dates=Dates(at_most_days=90),
        pseudonyms=Pseudonyms(prefix="SITE1-"),
        regions=[Region(boxes=[(0, 0, 100, 20), (5, 5, 1, 1)], modality="US", rows=480)],
        safe_private={"SIEMENS MR HEADER:0019,xx0C": "b value"},
        quarantine=QuarantineRules(modalities=["SR"], sop_classes=["1.2.840.10008.5.1.4.1.1.7"]),
    )
    assert read(json.dumps(WHOLE, indent="\t").encode(), as_json=True) == policy
    assert read(json.dumps(policy.document()).encode()) == policy


def test_a_policy_has_one_digest_however_it_is_written():
    one = read(json.dumps(WHOLE).encode()).digest
    assert read(json.dumps(dict(reversed(WHOLE.items()))).encode(), as_json=True).digest == one
    named = WHOLE | {"attributes": dict(reversed(WHOLE["attributes"].items()))}
    named["attributes"]["StationName"] = named["attributes"].pop("(0008,1010)")
    assert read(json.dumps(named).encode()).digest == one
    assert read(b"# a comment\n" + HEAD.encode()).digest == Policy(name="mine", version=1).digest


@pytest.mark.parametrize("field", [name for name in WHOLE if name not in ("format", "profile")])
def test_every_field_counts_for_the_digest(field):
    less = {name: value for name, value in WHOLE.items() if name != field}
    if field == "options":
        less |= {"options": [*WHOLE["options"], "retain_device_identity"]}
    if field in ("name", "version"):
        less |= {field: {"name": "other", "version": 8}[field]}
    assert read(json.dumps(less).encode()).digest != read(json.dumps(WHOLE).encode()).digest


def test_a_change_of_the_rules_changes_the_digest(monkeypatch):
    before = Policy(name="mine", version=1).label
    monkeypatch.setattr(document, "REVISION", document.REVISION + 1)
    assert Policy(name="mine", version=1).label != before
    assert len(Policy(name="a" * 16, version=999_999_999).label) <= 40


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The document is empty: give at least a name and a version."),
        ("[a]", "line 1: takes a mapping of format, name, version"),
        ("version: 1", "line 1: name is missing: give what people call it"),
        ("name: mine", "line 1: version is missing: give a whole number from 1 on"),
        ("name: Mine\nversion: 1", "name, line 1: takes what people call it: 1 to 16 small letters"),
        ('name: "mine\\n"\nversion: 1', "name, line 1: takes what people call it"),
        ("name: mine\nversion: 0", "version, line 2: takes a whole number from 1 on"),
        ("name: mine\nversion: true", "version, line 2: takes a whole number from 1 on"),
        ("name: mine\nversion: 1.1", "version, line 2: takes a whole number from 1 on"),
        ("name: 12\nversion: 1", "name, line 1: takes text: what people call it"),
        (HEAD + "format: 2", "format, line 3: it is a newer CHIPS's: this one reads format 1."),
        (HEAD + "profile: full", "profile, line 3: takes basic."),
        (HEAD + "optoins: []", "optoins, line 3: there is no such field: is it options?"),
        (HEAD + "x: 1", "x, line 3: there is no such field: there are format, name, version"),
        (HEAD + "options: retain_uids", "options, line 3: takes a list: options on top of the profile"),
        (HEAD + "options:\n- retain_uid", "options[0], line 4: there is no retain_uid: is it retain_uids?"),
        (HEAD + "options: [3]", "options[0], line 3: takes clean_descriptors, clean_graphics"),
        (HEAD + "options: [retain_uids, retain_uids]", "options[1], line 3: it stands here twice"),
        (HEAD + "attributes: [StudyDate]", "attributes, line 3: takes a mapping: exceptions by attribute"),
        (
            HEAD + "attributes:\n  Study Date: {action: keep}",
            "attributes.Study Date, line 4: takes an attribute's keyword (StudyDescription) or its tag",
        ),
        (
            HEAD + "attributes:\n  StudyDate: {}",
            "attributes.StudyDate, line 4: action is missing: give keep it; remove it",
        ),
        (
            HEAD + "attributes:\n  StudyDate: {action: shfit, why: x}",
            "attributes.StudyDate.action, line 4: there is no shfit: is it shift?",
        ),
        (
            HEAD + "attributes:\n  StudyDate: {action: replace, value: 20260101}",
            (
                "attributes.StudyDate.value, line 4: takes text: with replace alone: 1 to 64 characters of "
                "ASCII without \\, fit for the attribute. Put it in quotes."
            ),
        ),
        (
            HEAD + "attributes:\n  StudyDate: {action: replace, value: 'a\\b'}",
            "attributes.StudyDate.value, line 4: takes with replace alone",
        ),
        (HEAD + "dates: 90", "dates, line 3: takes a mapping (how dates are moved) of at_most_days."),
        (HEAD + "dates: {at_most_days: 3}", "dates.at_most_days, line 3: takes each patient's dates move"),
        (HEAD + "regions: [{boxes: [], rows: 1}]", "regions[0].boxes, line 3: takes 1 to 64 boxes"),
        (HEAD + "regions: [{boxes: [[1, 2]], rows: 1}]", "regions[0].boxes[0], line 3: takes 4 values"),
        (
            HEAD + "regions: [{boxes: [[1, 2, 0, 3]], rows: 1}]",
            "regions[0].boxes[0][2], line 3: takes a number",
        ),
        (HEAD + "safe_private: {X: y}", "safe_private.X, line 3: takes a private attribute as CREATOR:GGGG"),
        (HEAD + "safe_private: {'X:0018,xx01': y}", "safe_private.X:0018,xx01, line 3: takes a private"),
        (HEAD + "safe_private: {'X:0019,xx01': ' '}", "safe_private.X:0019,xx01, line 3: takes the reason"),
        (HEAD + "encrypt_for: [MIIC]", "encrypt_for[0], line 3: takes an X.509 certificate in PEM."),
        (HEAD + "quarantine: {modalities: [us]}", "quarantine.modalities[0], line 3: takes a modality"),
        (HEAD + 'description: "\\uD800"', "description, line 3: half a character stands in it"),
    ],
)
def test_what_has_not_the_shape_is_told_with_its_place(text, told):
    found = wrong(text)
    assert any(line.startswith(told) for line in found), found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1", "line 1: Anchors (&) are not taken: write the value out."),
        ("a: 1\nb: *x", "line 2: Aliases (*) are not taken: write the value out."),
        ("a: !!python/object/apply:os.system [x]", "line 1: Tags (!) are not taken: leave it out."),
        ("a: !!binary aGk=", "line 1: Tags (!) are not taken: leave it out."),
        ("? [a]\n: 1", "line 1: A key must be a word."),
        ("name: a\nname: b", "name, line 2: It stands here twice: leave one out."),
        ("name: a\n---\nname: b", "line 2: A second document begins: one file is one policy."),
        ("name: a: b", "line 1: No YAML: mapping values are not allowed here (put text with a colon"),
        ("{a", "line 1: No YAML: expected ',' or '}'"),
        ("a: \0", "No YAML: it holds a character that text does not have."),
        (b"name: \xff", "Byte 6 is not UTF-8: save the document as UTF-8."),
        (b"#" * (MAX_BYTES + 1), f"More than {MAX_BYTES // 1024} KiB: no policy needs that much."),
        ("[" * (MAX_DEPTH + 1), f"line 1: More than {MAX_DEPTH} levels deep: no policy is."),
        ("[" + "a," * MAX_VALUES + "]", f"line 1: More than {MAX_VALUES} values: no policy needs that many."),
    ],
)
def test_yaml_that_policies_do_not_use_is_refused(text, told):
    (found,) = wrong(text)
    assert found.startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"name": "a", "name": "b"}', "name: It stands here twice: leave one out."),
        ('{"name": "a",\n}', "line 2: No JSON: "),
        ("[" * 100_000, f"More than {MAX_DEPTH} levels deep: no policy is."),
        (
            "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
            f"More than {MAX_DEPTH} levels deep: no policy is.",
        ),
        ("[" + "1," * MAX_VALUES + "1]", f"More than {MAX_VALUES} values: no policy needs that many."),
        ('{"name": "a", "version": NaN}', "version: takes a whole number"),
        ('{"name": "a", "version": 1' + "0" * 5000 + "}", "version: takes a whole number"),
    ],
)
def test_json_is_bounded_alike(text, told):
    (found,) = wrong(text, as_json=True)
    assert found.startswith(told)


def test_as_deep_and_as_many_as_allowed_is_read():
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, as_json=False).value == [[[[[[[[]]]]]]]]
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, as_json=True).value == [[[[[[[[]]]]]]]]
    many = b"[" + b"1," * (MAX_VALUES - 2) + b"1]"
    assert parse(many, as_json=False).value == parse(many, as_json=True).value == [1] * (MAX_VALUES - 1)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        *(("NO", "NO"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False)),
        *(("~", None), ("", None), ("null", None), ("'null'", "null"), ('"1"', "1")),
        *(("12", 12), ("-3", -3), ("0010", 10), ("1.0", 1), ("1.5", 1.5), ("1e3", 1000)),
        *(("2026-01-31", "2026-01-31"), ("12:30", "12:30"), ("1_000", "1_000"), ("0x1F", "0x1F")),
        *(("<<", "<<"), ("=", "="), ("| \n  a\n  b", "a\nb"), (">-\n  a\n  b", "a b")),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written, means):
    found = parse(f"a: {written}".encode(), as_json=False).value
    assert found == {"a": means}
    assert type(found["a"]) is type(means)


def attributes(**overrides):
    return json.dumps({"name": "mine", "version": 1, "attributes": overrides})


KEEP = {"action": "keep", "why": "x"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (attributes(StudyDescripton=KEEP), "there is no such attribute: is it StudyDescription?"),
        (
            attributes(Zzzzzzzz=KEEP),
            "there is no such attribute: give its keyword, or its tag as (GGGG,EEEE).",
        ),
        (attributes(**{"(0008,9999)": KEEP}), "it always goes (not in the dictionary)"),
        (
            attributes(**{"(0019,1001)": KEEP}),
            "it always goes (private: retain_safe_private and safe_private",
        ),
        (attributes(**{"(6000,3000)": KEEP}), "it always goes (curves and overlays)"),
        (attributes(**{"(5002,0010)": {"action": "remove"}}), "it always goes (curves and overlays)"),
        (attributes(TransferSyntaxUID=KEEP), "it always goes (no part of an object)"),
        (attributes(**{"(0018,0000)": KEEP}), "it always goes (no part of an object)"),
        (attributes(ModifiedAttributesSequence=KEEP), "it always goes ("),
        (attributes(DeidentificationMethod=KEEP), "it always goes (what was there before"),
        (attributes(PatientName=KEEP), "it is always the patient's pseudonym: pseudonyms.prefix"),
        (attributes(PatientID={"action": "remove"}), "it is always the patient's pseudonym"),
        (attributes(SOPInstanceUID=KEEP), "objects are told apart by it"),
        (attributes(StudyInstanceUID={"action": "dummy"}), "objects are told apart by it"),
        (attributes(SOPClassUID={"action": "uid"}), "readers and rules go by it"),
        (attributes(Modality={"action": "remove"}), "readers and rules go by it"),
        (attributes(SpecificCharacterSet={"action": "remove"}), "readers need it as it is"),
        (attributes(BitsStored={"action": "dummy"}), "readers need it as it is"),
        (
            attributes(StationName={"action": "shift", "why": "x"}),
            "shift is for dates (DA, DT), and this is SH.",
        ),
        (
            attributes(StudyTime={"action": "shift", "why": "x"}),
            "shift is for dates (DA, DT), and this is TM.",
        ),
        (attributes(StationName={"action": "uid"}), "uid is for UIDs (UI), and this is SH."),
        (attributes(OperatorsName={"action": "clean", "why": "x"}), "clean is for text (LO, SH"),
        (
            attributes(DeviceUID={"action": "replace", "value": "1.2"}),
            "replace is for attributes whose value",
        ),
        (
            attributes(PatientSex={"action": "replace", "value": "male"}),
            "it is no value of an attribute that is CS",
        ),
        (
            attributes(StudyDate={"action": "replace", "value": "2026"}),
            "it is no value of an attribute that is DA",
        ),
        (
            attributes(StationName={"action": "replace", "value": "x" * 17}),
            "it is no value of an attribute that is SH",
        ),
        (attributes(EthnicGroups=KEEP, **{"(0010,2162)": KEEP}), "it is the same attribute as EthnicGroups"),
        (attributes(StudyDate=KEEP, **{"(0008,0020)": KEEP}), "it is the same attribute as StudyDate"),
        (attributes(StudyDate={"action": "keep"}), "keep lets out what the profile takes away: say in why"),
        (attributes(StudyDate={"action": "shift"}), "shift lets out what the profile takes away: say in why"),
        (
            attributes(StationName={"action": "clean"}),
            "clean lets out what the profile takes away: say in why",
        ),
        (attributes(StationName={"action": "replace"}), "replace needs a value: add value, or take empty"),
        (attributes(StationName={"action": "remove", "value": "X"}), "it is used by replace, not by remove"),
        (
            HEAD + "options: [retain_longitudinal_full_dates, retain_longitudinal_modified_dates]",
            "retain_longitudinal_full_dates and retain_longitudinal_modified_dates are alternatives",
        ),
        (
            HEAD + "options: [retain_uids, clean_pixel_data]",
            "with retain_uids an image that clean_pixel_data",
        ),
        (
            HEAD + "options: [retain_uids, clean_recognizable_visual_features]",
            "with retain_uids an image that clean_recognizable_visual_features",
        ),
        (HEAD + "dates: {at_most_days: 90}", "no date is moved: add retain_longitudinal_modified_dates"),
        (HEAD + "regions: [{boxes: [[0, 0, 1, 1]], rows: 1}]", "they are used by clean_pixel_data"),
        (
            HEAD + "options: [clean_pixel_data]\nregions: [{boxes: [[0, 0, 1, 1]]}]",
            "it would fit every image: give at least one of modality, manufacturer, model, rows, columns.",
        ),
        (HEAD + "safe_private: {'X:0019,xx01': y}", "it is used by retain_safe_private: add that to options"),
        (HEAD + "quarantine: {modalities: [MRI]}", "it is no modality of the standard"),
        (HEAD + "quarantine: {sop_classes: ['1.2.3']}", "the standard has no such SOP class"),
        (HEAD + "quarantine: {sop_classes: [1.2.840.10008.1.2.1]}", "the standard has no such SOP class"),
        (
            HEAD + 'encrypt_for: ["-----BEGIN CERTIFICATE-----\\nMIIC"]',
            "A recipient of encrypted attributes is no PEM certificate. Put the whole PEM file here",
        ),
    ],
)
def test_what_can_not_be_followed_is_told(text, told):
    (found,) = wrong(text)
    assert found.partition(": ")[2].startswith(told), found


@pytest.mark.parametrize("value", ["OT", "US", "DS", "CTPROTOCOL"])
def test_modalities_of_the_standard_can_be_held_back(value):
    assert read(f"{HEAD}quarantine: {{modalities: [{value}]}}".encode()).quarantine.modalities == [value]


def test_a_shift_by_exception_uses_the_dates():
    text = HEAD + "dates: {at_most_days: 90}\nattributes: {StudyDate: {action: shift, why: intervals}}"
    assert read(text.encode()).dates.at_most_days == 90


def test_certificates_are_rsa():
    good = certificate(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert read(json.dumps({"name": "a", "version": 1, "encrypt_for": [good]}).encode()).encrypt_for == [good]
    bad = certificate(ec.generate_private_key(ec.SECP256R1()))
    (found,) = wrong(json.dumps({"name": "a", "version": 1, "encrypt_for": [good, bad]}))
    assert found.startswith("encrypt_for[1], line 1: A recipient's certificate must have an RSA key")


def test_all_is_told_at_once_in_the_order_of_the_document():
    found = wrong(HEAD + "regions: 3\nx: 1\noptions: [y]")
    assert [line.partition(",")[0] for line in found] == ["regions", "x", "options[0]"]
    with pytest.raises(
        WrongPolicy, match=r"^regions, line 3: .* \(2 more: `chips policy check` lists all\)$"
    ):
        read((HEAD + "regions: 3\nx: 1\noptions: [y]").encode())


def test_very_much_that_is_wrong_is_told_in_part():
    names = "".join(f"  Nonsense{number}: {{action: remove}}\n" for number in range(500))
    assert len(wrong(f"{HEAD}attributes:\n{names}")) == MOST_PROBLEMS


def test_nothing_that_a_terminal_acts_on_is_repeated():
    (found,) = wrong('{"name": "a", "version": 1, "\\u001b[2J": 1}', as_json=True)
    assert "\x1b" not in found
    (found,) = wrong(json.dumps({"name": "a", "version": 1, "x" * 5000: 1}), as_json=True)
    assert len(found) < 300


def test_files_are_read_by_the_end_of_their_name(tmp_path):
    (tmp_path / "a.json").write_text('{"name": "a",\t"version": 1}')
    (tmp_path / "a.yaml").write_text("name: a\nversion: 1\n")
    (tmp_path / "a.yml").write_bytes("\ufeffname: a\nversion: 1\n".encode())
    assert {read_file(file).label for file in tmp_path.iterdir()} == {Policy(name="a", version=1).label}
    with pytest.raises(Rejected, match="There is no policy document"):
        read_file(tmp_path / "none.yaml")
    with pytest.raises(Rejected, match="There is no policy document"):
        read_file(tmp_path)
    (tmp_path / "large.yaml").write_bytes(b"# \n" * MAX_BYTES)
    with pytest.raises(WrongPolicy, match="KiB"):
        read_file(tmp_path / "large.yaml")
