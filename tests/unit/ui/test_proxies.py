from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import Rejected
from ui.proxies import client, networks

TRUSTED = networks("10.0.0.0/8, 192.0.2.7,2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),  # who is no proxy of ours says nothing about others
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.5"], "203.0.113.5"),  # the left one is the client's own claim
        ("10.0.0.1", ["198.51.100.1", "203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5, 192.0.2.7"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5, 192.0.2.8"], "192.0.2.8"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.5, rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5,"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("2001:db8::1", ["[2001:0:0:5::9]:4711"], "2001:0:0:5::9"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        (None, ["203.0.113.5"], "unknown"),
        ("", ["203.0.113.5"], "unknown"),
    ],
)
def test_the_client_is_the_first_from_the_right_whom_we_do_not_trust(peer, forwarded, expected):
    assert client(peer, forwarded, TRUSTED) == expected


@given(st.lists(st.text(max_size=20), max_size=5))
def test_a_client_cannot_choose_what_it_is_counted_as(claims):
    assert client("10.0.0.1", [*claims, "203.0.113.5"], TRUSTED) == "203.0.113.5"
    assert client("203.0.113.5", claims, TRUSTED) == "203.0.113.5"


def test_without_the_setting_nobody_is_trusted():
    assert networks("") == ()
    assert client("127.0.0.1", ["203.0.113.5"], ()) == "127.0.0.1"


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1 10.0.0.2"])
def test_what_is_no_network_is_named(wrong):
    with pytest.raises(Rejected, match="trusted_proxies"):
        networks(f"192.0.2.7,{wrong}")
