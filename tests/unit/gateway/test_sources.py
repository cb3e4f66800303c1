"""Who may send: the most specific source that fits, and each refusal with its word."""

from __future__ import annotations

import contextlib
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy import sources as cli
from gateway.admission import Guest, ReplyTo
from gateway.dul.negotiation import CALLED_AE, CALLING_AE, USER_IDENTITY, Rejection, UserIdentity
from gateway.renewing import Renewed
from gateway.sources.document import Document, Entry
from gateway.sources.judging import ADDRESS, CERTIFICATE, chosen, identified
from gateway.sources.loading import load, parsed
from gateway.sources.passcodes import Passcode
from gateway.sources.rules import Rules, compiled
from streams.errors import Misconfigured

PAPER = "5f" * 32
CHEAP = "scrypt:4:8:1:00ff:" + "0" * 64


@pytest.fixture
def rules_of(tmp_path):
    def made(text) -> Rules:
        (tmp_path / "sources.toml").write_text(text)
        return load(tmp_path / "sources.toml")

    return made


def name_of(rules, address="10.0.0.1", calling="CT1", called="CHIPS", certificate=None):
    found = chosen(rules, Guest(address, certificate), calling, called)
    return found.word if isinstance(found, Rejection) else found.source.name


HOSPITAL = f"""
[source.ct]
calling_ae = ["CT1", "CT2"]
addresses = ["10.0.0.0/24", "2001:db8::/32"]

[source.anything-there]
addresses = ["10.0.0.0/16"]
permissions = ["store"]

[source.one]
addresses = ["10.0.0.7"]

[source.signed]
calling_ae = ["CT1"]
certificates = ["{":".join(["5F"] * 32)}"]

[source.trial]
called_ae = ["TRIAL"]
calling_ae = ["MR1"]
addresses = ["192.0.2.1"]
"""


@pytest.mark.parametrize(
    ("asking", "name"),
    [
        ({}, "ct"),
        ({"address": "2001:db8::5"}, "ct"),
        ({"address": "::ffff:10.0.0.1"}, "ct"),
        ({"calling": "CT3"}, "anything-there"),
        ({"address": "10.0.9.9"}, "anything-there"),
        ({"address": "10.0.0.7"}, "one"),
        ({"address": "10.0.0.7", "certificate": PAPER}, "signed"),
        ({"address": "203.0.113.5", "certificate": PAPER}, "signed"),
        ({"address": "192.0.2.1", "calling": "MR1", "called": "TRIAL"}, "trial"),
        ({"address": "192.0.2.1", "calling": "MR1"}, "called-ae"),
        ({"address": "192.0.2.1", "calling": "MR2"}, "calling-ae"),
        ({"address": "203.0.113.5"}, "certificate"),
        ({"address": "203.0.113.5", "certificate": "00" * 32}, "certificate"),
        ({"address": "192.0.2.1", "calling": "ct1"}, "calling-ae"),
    ],
)
def test_the_most_specific_that_fits_or_the_reason(rules_of, asking, name):
    assert name_of(rules_of(HOSPITAL), **asking) == name


def test_an_address_that_no_source_has_learns_nothing_of_titles(rules_of):
    rules = rules_of('[source.a]\ncalling_ae = ["CT1"]\naddresses = ["10.0.0.1"]\n')
    for calling in ("CT1", "CT2"):
        assert name_of(rules, "10.0.0.2", calling) == "address"


def test_others_come_in_when_it_is_open_but_under_no_title_of_a_source(rules_of):
    rules = rules_of('unknown = "open"\n[source.a]\ncalling_ae = ["CT1"]\naddresses = ["10.0.0.1"]\n')
    other = chosen(rules, Guest("10.0.0.2"), "MR9", "CHIPS")
    assert (other.source.name, other.source.account) == ("MR9", "10.0.0.2")
    assert name_of(rules, "10.0.0.2", "CT1") == "address"
    assert name_of(rules, "10.0.0.2", "a") == "address"


def test_defaults_hold_where_a_source_says_nothing(rules_of):
    rules = rules_of(
        'unknown = "open"\n[default]\npermissions = ["store"]\nlimits = {associations = 2, object_mb = 3}\n'
        '[source.a]\ncalling_ae = ["A"]\nlimits = {associations = 9, mb_per_hour = 1}\n'
        '[source.b]\ncalling_ae = ["B"]\npermissions = ["echo"]\nproject = "trial-7"\n'
    )
    a, b = (rule.source for rule in rules.sources)
    assert (a.may_store, a.may_echo, b.may_store, b.may_echo) == (True, False, False, True)
    assert (a.allowance.associations, b.allowance.associations) == (9, 2)
    assert (a.allowance.object_bytes, a.allowance.bytes_per_hour) == (3 << 20, 1 << 20)
    assert rules.unknown.allowance.associations == 2
    assert rules.projects == {"trial-7"}


def test_what_is_accepted_is_a_sources_own_the_files_or_the_settings(rules_of):
    text = '[source.a]\ncalling_ae = ["A"]\naccept = "any"\n[source.b]\ncalling_ae = ["B"]\n'
    assert [rule.source.accepts for rule in rules_of(text).sources] == ["any", None]
    rules = rules_of(f'unknown = "open"\n[default]\naccept = "standard"\n{text}')
    assert [rule.source.accepts for rule in rules.sources] == ["any", "standard"]
    assert rules.unknown.accepts == "standard"


def test_reports_go_where_a_source_says_and_nowhere_else(rules_of):
    where = '{host = "10.0.0.7", port = 104, ae = "CT1 "}'
    rules = rules_of(
        f'unknown = "open"\n[source.ct]\ncalling_ae = ["CT1"]\nreply = {where}\n'
        '[source.mr]\ncalling_ae = ["MR"]\n'
    )
    found = [
        chosen(rules, Guest("10.0.0.1"), calling, "CHIPS").source.reply for calling in ("CT1", "MR", "US")
    ]
    assert found == [ReplyTo("10.0.0.7", 104, "CT1"), None, None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = [", "not TOML"),
        ('[source.a]\ncallng_ae = ["A"]', "callng_ae"),
        ('[source.A]\ncalling_ae = ["A"]', "regex"),
        ('[source.a]\ncalling_ae = ["SEVENTEEN-LETTERS"]', "calling_ae"),
        ('[source.a]\naddresses = ["10.0.0.1/24"]', "Source a, addresses.*host bits"),
        ('[source.a]\naddresses = ["pacs"]', "Source a, addresses"),
        ('[source.a]\ncertificates = ["12:34"]', "openssl"),
        ('[source.a]\npermissions = ["store"]', "would be everybody"),
        ('[source.a]\nusers = [{name = "u", passcode = "hunter2"}]', "chips sources passcode"),
        ('[source.a]\nusers = [{name = "u", passcode = "scrypt:30:8:1:00:00"}]', "chips sources passcode"),
        ('[source.a]\ncalling_ae = ["A"]\nlimits = {associations = 0}', "associations"),
        ('[source.a]\ncalling_ae = ["A"]\nproject = "No Such"', "project"),
        ('unknown = "maybe"', "unknown"),
        ('[source.a]\ncalling_ae = ["A"]\nreply = {host = "h", port = 0, ae = "A"}', "port"),
    ],
)
def test_what_cant_be_followed_is_told_with_its_place(rules_of, text, told):
    with pytest.raises(Misconfigured, match=f"(?s)sources.toml.*{told}") as refused:
        rules_of(text)
    assert "hunter2" not in str(refused.value)


def test_a_missing_or_huge_file_is_told(tmp_path):
    with pytest.raises(Misconfigured, match="CHIPS_SOURCES_FILE"):
        load(tmp_path / "gone.toml")
    (tmp_path / "huge.toml").write_text("# " + "x" * (4 << 20))
    with pytest.raises(Misconfigured, match="too large"):
        load(tmp_path / "huge.toml")


def test_rules_are_followed_as_soon_as_they_change_and_broken_ones_are_not(tmp_path):
    file = tmp_path / "sources.toml"
    file.write_text('[source.a]\ncalling_ae = ["CT1"]')
    renewed = Renewed("file of sources", [file], lambda: load(file))
    assert name_of(renewed.current()) == "a"
    file.write_text('[source.bb]\ncalling_ae = ["CT1"]')
    assert name_of(renewed.current()) == "bb"
    file.write_text("[source")
    assert name_of(renewed.current()) == "bb"
    assert "TOML" in renewed.problem


TITLES = ["A", "B", "C"]
PAPERS = ["aa" * 32, "bb" * 32]
NETWORKS = ["10.0.0.1", "10.0.0.0/30", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "2001:db8::/64"]
ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.9.9.9", "203.0.113.9", "2001:db8::1", "2001:db8::2", "::1"]


def lists(of):
    return st.lists(st.sampled_from(of), max_size=2, unique=True)


ENTRIES = st.fixed_dictionaries(
    {
        "calling_ae": lists(TITLES),
        "called_ae": lists(TITLES),
        "addresses": lists(NETWORKS),
        "certificates": lists(PAPERS),
    }
).filter(lambda entry: any(entry.values()))


def fits(entry, address, certificate, calling, called):
    """What the file says, once more and without order."""
    return (
        (not entry["calling_ae"] or calling in entry["calling_ae"])
        and (not entry["called_ae"] or called in entry["called_ae"])
        and (not entry["certificates"] or certificate in entry["certificates"])
        and (
            not entry["addresses"]
            or any(
                ip_address(address) in ip_network(text)
                for text in entry["addresses"]
                if (":" in text) == (":" in address)
            )
        )
    )


ASKING = st.tuples(
    st.sampled_from(ADDRESSES),
    st.sampled_from([None, *PAPERS]),
    st.sampled_from(TITLES),
    st.sampled_from(TITLES),
)


@given(entries=st.lists(ENTRIES, max_size=5), asking=ASKING, order=st.randoms())
def test_a_source_is_taken_exactly_when_one_fits_and_the_order_does_not_matter(entries, asking, order):
    address, certificate, calling, called = asking
    named = {f"s{number}": entry for number, entry in enumerate(entries)}
    rules = compiled(Document(source={name: Entry(**entry) for name, entry in named.items()}))
    found = chosen(rules, Guest(address, certificate), calling, called)
    fitting = [name for name, entry in named.items() if fits(entry, address, certificate, calling, called)]
    if not fitting:
        assert found in (ADDRESS, CERTIFICATE, CALLING_AE, CALLED_AE)
        return
    assert found.source.name in fitting
    if any(named[name]["certificates"] for name in fitting):
        assert named[found.source.name]["certificates"]
    shuffled = list(rules.sources)
    order.shuffle(shuffled)
    again = chosen(rules._replace(sources=tuple(shuffled)), Guest(address, certificate), calling, called)
    assert {name: bool(named[again.source.name][name]) for name in ("certificates", "calling_ae")} == {
        name: bool(named[found.source.name][name]) for name in ("certificates", "calling_ae")
    }


USERS = f"""
[source.a]
calling_ae = ["CT1"]
users = [{{name = "ann", passcode = "{CHEAP}"}}, {{name = "jürgen"}}]
"""


@pytest.mark.parametrize(
    ("kind", "name", "passcode", "is_let_in"),
    [
        (1, "jürgen", "", True),
        (2, "jürgen", "whatever", True),
        (1, "ann", "", False),
        (2, "ann", "right", True),
        (2, "ann", "wrong", False),
        (2, "bob", "right", False),
        (3, "ann", "right", False),
        (4, "ann", "right", False),
        (5, "jürgen", "", False),
        (None, "", "", False),
    ],
)
def test_identities_are_judged_where_a_source_has_users(rules_of, kind, name, passcode, is_let_in):
    rule = chosen(rules_of(USERS), Guest("10.0.0.1"), "CT1", "CHIPS")
    shown = kind and UserIdentity(kind, name.encode(), passcode.encode(), wants_response=True)
    found = identified(rule, shown, lambda _, given: given == b"right")
    if is_let_in:
        assert found.is_identified
    else:
        assert found == USER_IDENTITY


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5])
def test_identities_are_not_looked_at_elsewhere_nor_affirmed(rules_of, kind):
    rule = chosen(rules_of('[source.a]\ncalling_ae = ["CT1"]'), Guest("10.0.0.1"), "CT1", "CHIPS")
    found = identified(rule, UserIdentity(kind, b"x", b"y", wants_response=True), pytest.fail)
    assert not found.is_identified


def test_a_name_that_nobody_has_takes_as_much_work_as_a_wrong_passcode(rules_of):
    rule = chosen(rules_of(USERS), Guest("10.0.0.1"), "CT1", "CHIPS")
    tries = []

    def verify(passcode, given):
        tries.append(given)
        return True

    assert identified(rule, UserIdentity(2, b"bob", b"x", wants_response=False), verify) == USER_IDENTITY
    assert tries == [b"x"]


def test_a_passcode_is_kept_unreadable_and_fits_itself_alone():
    made = Passcode.new(b"secret")
    assert "secret" not in str(made) + repr(made)
    again = Passcode.parse(str(made))
    assert again == made != Passcode.new(b"secret")
    assert again.fits(b"secret")
    assert not again.fits(b"Secret")


@given(content=st.binary(max_size=60), at=st.integers(0, len(HOSPITAL)))
def test_any_bytes_are_rules_or_told(content, at):
    text = HOSPITAL.encode()
    with contextlib.suppress(Misconfigured):
        parsed(text[:at] + content + text[at:], Path("sources.toml"))


def test_nesting_without_end_is_told():
    with pytest.raises(Misconfigured, match="not TOML"):
        parsed(b"x = " + b"[" * 10_000, Path("sources.toml"))


def test_the_command_prints_what_the_file_takes(tmp_path, monkeypatch, capsys, rules_of):
    monkeypatch.chdir(tmp_path)
    rules_of(HOSPITAL + "limits = {associations = 3}\n")
    assert cli.check(tmp_path / "sources.toml") == 0
    told = capsys.readouterr().out
    assert "ct: AE CT1, AE CT2, 10.0.0.0/24, 2001:db8::/32; may store, commit, echo" in told
    assert "trial: AE MR1, to TRIAL, 192.0.2.1/32; may store, commit, echo; at most associations 3" in told
    assert "Nobody is signed" in told
    assert "Others: are sent away." in told
    (tmp_path / "sources.toml").write_text("[source")
    assert cli.check(tmp_path / "sources.toml") == 78
    monkeypatch.setattr("sys.stdin", (tmp_path / "sources.toml").open())
    assert cli.passcode() == 0
    assert Passcode.parse(capsys.readouterr().out.strip()).fits(b"[source")
