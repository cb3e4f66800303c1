from __future__ import annotations

import pytest

from deploy import announce
from deploy.exits import Exit
from gateway.identity import instance_key, series_key
from gateway.keys import Keyring
from schemas.catalogue import decode
from streams.errors import Rejected
from streams.log.admin import LogAdmin
from streams.log.tail import LogTail

SERIES = "1.2.3.4.5"


@pytest.fixture
async def key(tmp_path, monkeypatch):
    """An embedded bus and a vault with a key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHIPS_DATA", str(tmp_path / "data"))
    admin = LogAdmin(tmp_path / "data" / "bus")
    await admin.create_topics()
    await admin.close()
    return Keyring(tmp_path / "data" / "vault").project_key("default")


async def told(folder):
    tail = LogTail(folder / "data" / "bus")
    try:
        ends = await tail.ends(["chips.pacs.v1"])
        found = []
        records = tail.records(["chips.pacs.v1"], start="beginning")
        while len(found) < sum(ends.values()):
            found.append(decode((await anext(records)).value).data)
        await records.aclose()
        return found
    finally:
        await tail.close()


async def test_a_count_reaches_the_topic_under_the_pseudonym_of_its_series(tmp_path, key, capsys):
    assert await announce.announce(SERIES, instances=240, listed=None) == Exit.OK
    (data,) = await told(tmp_path)
    assert (data.series, data.instances, data.by) == (series_key(key, SERIES), 240, "announcement")
    assert SERIES not in capsys.readouterr().out


async def test_a_list_of_uids_becomes_keys(tmp_path, key):
    file = tmp_path / "uids.txt"
    file.write_text("1.2.3.1\n1.2.3.2\n1.2.3.2\n")
    assert await announce.announce(SERIES, instances=None, listed=file) == Exit.OK
    (data,) = await told(tmp_path)
    assert data.listed == sorted(instance_key(key, uid) for uid in ("1.2.3.1", "1.2.3.2"))
    assert data.instances == 2


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (("SMITH^JOHN", 3, None), "is no UID"),
        (("1.2." + "3" * 64, 3, None), "is no UID"),
        ((SERIES, None, None), "one of them"),
        ((SERIES, 3, "1.2.3\n"), "one of them"),
        ((SERIES, 0, None), "takes 1 to"),
        ((SERIES, None, "1.2.3\nSMITH\n"), "UID 2 of"),
        ((SERIES, None, "\n"), "lists no UID"),
        ((SERIES, None, "größe"), "can't be read"),
    ],
)
async def test_what_can_not_be_announced_is_refused_and_quotes_nothing(tmp_path, key, call, why):
    uid, instances, listed = call
    file = None
    if listed is not None:
        file = tmp_path / "uids.txt"
        file.write_text(listed, encoding="utf-8")
    with pytest.raises(Rejected, match=why) as refused:
        await announce.announce(uid, instances=instances, listed=file)
    assert "SMITH" not in str(refused.value)
    assert await told(tmp_path) == []


async def test_without_a_key_there_is_no_pseudonym_to_announce(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHIPS_DATA", str(tmp_path / "data"))
    with pytest.raises(Rejected, match="no key yet"):
        await announce.announce(SERIES, instances=3, listed=None)
