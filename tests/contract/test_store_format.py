"""Opening, migrating and the format stamp."""

from __future__ import annotations

import msgspec
import pytest

from streams.errors import NewerFormat, Rejected, Unavailable
from streams.settings import Settings
from streams.store.opening import open_store
from streams.store.stamp import FORMAT, KEY, KIND, Stamp
from tests.contract.making import ENGINES, drop_keyspace, events, new_keyspace, new_stream


@pytest.fixture(params=ENGINES)
def fresh(request, tmp_path):
    """Settings of a store that nobody has migrated."""
    if request.param == "memory":
        yield Settings(store="memory://here")
    elif request.param == "sqlite":
        yield Settings(store=f"sqlite://{tmp_path / 'folder' / 'store.db'}")
    else:
        contact, keyspace = request.getfixturevalue("cassandra_contact"), new_keyspace()
        yield Settings(store=f"cassandra://{contact}/{keyspace}")
        drop_keyspace(contact, keyspace)


async def test_a_store_is_of_use_after_migrate_and_only_then(fresh, tmp_path):
    store = await open_store(fresh)
    try:
        with pytest.raises(Unavailable, match="chips migrate"):
            await store.check()
        assert not list(tmp_path.rglob("*.db")), "looking made a file"
        done = await store.migrate()
        assert f"store format {FORMAT}" in done
        await store.check()
        assert await store.migrate() == []
        stamp = msgspec.json.decode((await store.records.get(KIND, KEY)).body, type=Stamp)
        assert stamp.format == FORMAT
        assert stamp.written_by
        stream = new_stream()
        await store.events.append(stream, 0, events(stream, 0, 1))
        assert await store.events.version(stream) == 1
    finally:
        await store.close()


async def test_a_newer_format_is_refused(fresh):
    store = await open_store(fresh)
    try:
        await store.migrate()
        found = await store.records.get(KIND, KEY)
        stamp = msgspec.json.decode(found.body, type=Stamp)
        newer = msgspec.structs.replace(stamp, format=FORMAT + 1, written_by="9.9.9")
        await store.records.put(KIND, KEY, msgspec.json.encode(newer))
        with pytest.raises(NewerFormat, match=r"9\.9\.9"):
            await store.check()
        with pytest.raises(NewerFormat, match="newer one"):
            await store.migrate()
        older = msgspec.structs.replace(stamp, format=FORMAT - 1)
        await store.records.put(KIND, KEY, msgspec.json.encode(older))
        with pytest.raises(Unavailable, match="chips migrate"):
            await store.check()
    finally:
        await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "kafka://127.0.0.1:1",
        "cassandra://127.0.0.1:9042",
        "cassandra://127.0.0.1:9042/",
        "cassandra://127.0.0.1:9042/Bad-Name",
        "cassandra://host:port/chips",
        "cassandra://a,,b/chips",
    ],
)
async def test_a_setting_that_names_no_store_is_refused(url):
    with pytest.raises(Rejected, match="CHIPS_STORE"):
        await open_store(Settings(store=url))


async def test_cassandra_that_does_not_answer_is_unavailable():
    with pytest.raises(Unavailable):
        await open_store(Settings(store="cassandra://127.0.0.1:1/chips"))


async def test_files_that_cannot_be_used_are_named_without_their_content(tmp_path):
    secret = tmp_path / "credentials.toml"
    secret.write_text('username = "u"\npasswort = "hunter2"\n')
    url = "cassandra://127.0.0.1:1/chips"
    with pytest.raises(Rejected, match=r"credentials\.toml") as refused:
        await open_store(Settings(store=url, cassandra_credentials_file=str(secret)))
    assert "hunter2" not in str(refused.value)
    with pytest.raises(Rejected, match="CHIPS_CASSANDRA_CA_FILE"):
        await open_store(Settings(store=url, cassandra_ca_file=str(tmp_path / "none.pem")))
