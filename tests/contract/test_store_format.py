"""Opening, migrating and the format stamp."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from streams.errors import NewerFormat, Rejected, Unavailable
from streams.settings import Settings
from streams.store import stamp as stamp_module
from streams.store.api import Fact, Row
from streams.store.cassandra import store as cassandra_module
from streams.store.opening import open_store
from streams.store.sqlite.tables import MIGRATIONS
from streams.store.stamp import FORMAT, KEY, KIND, Stamp
from tests.contract.making import ENGINES, drop_keyspace, events, new_keyspace, new_project, new_stream

ROOT = Path(__file__).parents[2]


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


class Next:
    """A planted next format: a column more in the table of facts, and one in that of events."""

    def __init__(self, engine, folder, monkeypatch):
        self.engine, self.folder, self.patch = engine, folder, monkeypatch
        exists = "IF NOT EXISTS" if engine == "cassandra" else "COLUMN"
        self.statements = [
            f"ALTER TABLE fact ADD {exists} note text",
            f"ALTER TABLE event ADD {exists} note text",
        ]

    def plant(self, *, torn):
        """Make it the newest format; torn: its second statement is never reached, or fails."""
        self.patch.setattr(stamp_module, "FORMAT", FORMAT + 1)
        if self.engine == "sqlite":
            planted = (self.statements[0], "SELECT no_such_function()" if torn else self.statements[1])
            self.patch.setitem(MIGRATIONS, FORMAT + 1, planted)
        elif self.engine == "cassandra":
            shutil.copytree(ROOT / "schemas" / "cql", self.folder / "cql", dirs_exist_ok=True)
            file = self.folder / "cql" / f"{FORMAT + 1:04d}_planted.cql"
            file.write_text("-- Planted.\n" + "".join(f"{one};\n" for one in self.statements))
            self.patch.setattr(cassandra_module, "CQL", self.folder / "cql")

    def break_off(self, store):
        """Let the connection be lost after the first statement of the step."""
        if self.engine != "cassandra":
            return
        run = store._session.run_unprepared

        async def lost(text, *values, **how):
            if text == self.statements[1]:
                raise Unavailable("the connection is lost")
            return await run(text, *values, **how)

        self.patch.setattr(store._session, "run_unprepared", lost)

    async def columns(self, store):
        """Give which of the two tables have the new column."""
        if self.engine == "sqlite":
            return [
                await store._database.read(
                    lambda db, table=table: (
                        "note" in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
                    )
                )
                for table in ("fact", "event")
            ]
        rows = await store._session.run_unprepared(
            "SELECT table_name FROM system_schema.columns"
            " WHERE keyspace_name=%s AND table_name IN ('fact', 'event') AND column_name='note'",
            store._session.keyspace,
        )
        return [(table,) in rows for table in ("fact", "event")]


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_older_store_comes_up_with_all_that_is_in_it_also_when_it_broke_off(
    engine, request, tmp_path, monkeypatch
):
    if engine == "memory":
        url = "memory://here"
    elif engine == "sqlite":
        url = f"sqlite://{tmp_path / 'store.db'}"
    else:
        contact, keyspace = request.getfixturevalue("cassandra_contact"), new_keyspace()
        request.addfinalizer(lambda: drop_keyspace(contact, keyspace))
        url = f"cassandra://{contact}/{keyspace}"
    planted = Next(engine, tmp_path, monkeypatch)
    stream, project = new_stream(), new_project()
    given = events(stream, 0, 5)
    fact, row = Fact(project, "k", "s", "one", b"fact"), Row(project, "s", "one", 3, b"row")

    async def whole(store):
        assert [event async for event in store.events.read(stream)] == given
        assert await store.facts.all(project, "k", "s") == [fact]
        assert await store.views.rows("card", project, "s") == [row]
        assert (await store.records.get("account", "one")).body == b"kept"

    store = await open_store(Settings(store=url))
    try:
        await store.migrate()
        await store.events.append(stream, 0, given)
        await store.facts.put([fact])
        await store.views.put("card", 1, [row])
        await store.records.put("account", "one", b"kept")
        planted.plant(torn=True)
        with pytest.raises(Unavailable, match="chips migrate"):
            await store.check()
        if engine != "memory":
            planted.break_off(store)
            with pytest.raises(Unavailable):
                await store.migrate()
            # SQLite takes a step whole or not at all; of Cassandra's the first half is done.
            assert await planted.columns(store) == [engine == "cassandra", False]
            with pytest.raises(Unavailable, match="chips migrate"):
                await store.check()
            await whole(store)
            monkeypatch.undo()
            planted.plant(torn=False)
        assert await store.migrate() == [f"store format {FORMAT + 1}"]
        await store.check()
        if engine != "memory":
            assert await planted.columns(store) == [True, True]
        await whole(store)
        stamp = msgspec.json.decode((await store.records.get(KIND, KEY)).body, type=Stamp)
        assert stamp.format == FORMAT + 1
        assert await store.migrate() == []
        await store.events.append(stream, 5, events(stream, 5, 1))
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
