"""Tables of read models on a real Postgres: what is written is what is read, by the primary key."""

import asyncio
import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from crm.adapters.postgres import field_values, read_models
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.reader_role import secured
from crm.envelope import Row
from crm.errors import Broken
from crm.events import ContactCreated
from crm.projection import Json, Projection, projection
from crm.scalars import Id, Micros
from crm.topics import JOURNAL
from projections import PROJECTIONS
from streams.project import ProjectionBatch
from tests.conftest import database_of
from tests.support.records import open_connection
from tests.support.scenarios import NOON, SHOP

YEAR_1, YEAR_9999 = Micros(-62_135_596_800_000_000), Micros(253_402_300_799_999_999)
KEYS = [Id(f"00000000-0000-4000-8000-{n:012d}") for n in range(8)]


class SampleRow(Row, frozen=True, gc=False):
    """A column of every type; it isn't read by anybody."""

    sample_id: Id
    text: str
    number: int
    flag: bool
    at: Micros
    words: tuple[str, ...]
    said: Json
    no_id: Id | None
    no_text: str | None
    no_number: int | None
    no_flag: bool | None
    no_time: Micros | None


@projection(key="sample_id", version=3, indexes=("at, number", "no_id", "words", "said"))
def sample(row: SampleRow | None, event: ContactCreated) -> SampleRow | None:
    return row


EMPTY = SampleRow(KEYS[0], "", 0, False, NOON, (), {}, None, None, None, None, None)
FULL = SampleRow(
    KEYS[1],
    'Олег "О\'Ніл" \\ ґ 🙂 \n\t {} NULL',
    2**63 - 1,
    True,
    YEAR_9999,
    ("", "NULL", '"{a,b}"', "Їжак\\", "two\nlines"),
    {
        "сума": "54.10",
        "n": "-1.00",
        "big": "123456789012345678901234567890.5",
        "t": '"54.10"',
        "x": "null",
        "f": "[1.0]",
    },
    KEYS[2],
    "",
    -(2**63),
    False,
    YEAR_1,
)
DDL = """\
CREATE TABLE IF NOT EXISTS read.sample_v3 (
  workspace uuid NOT NULL,
  sample_id uuid NOT NULL,
  text text NOT NULL,
  number bigint NOT NULL,
  flag boolean NOT NULL,
  at timestamptz NOT NULL,
  words text[] NOT NULL,
  said jsonb NOT NULL,
  no_id uuid,
  no_text text,
  no_number bigint,
  no_flag boolean,
  no_time timestamptz,
  PRIMARY KEY (sample_id, workspace)
) WITH (fillfactor = 80);
COMMENT ON TABLE read.sample_v3 IS 'A column of every type; it isn''t read by anybody.';
SECURED
CREATE INDEX IF NOT EXISTS sample_v3_at_number ON read.sample_v3 (workspace, at, number, sample_id);
CREATE INDEX IF NOT EXISTS sample_v3_no_id ON read.sample_v3 (workspace, no_id, sample_id) WHERE no_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS sample_v3_words ON read.sample_v3 USING gin (words) WHERE words <> '{}';
CREATE INDEX IF NOT EXISTS sample_v3_said ON read.sample_v3 USING gin (said jsonb_path_ops) WHERE said <> '{}';"""


def test_the_tables_text() -> None:
    assert read_models.ddl(sample) == DDL.replace("SECURED", secured("read.sample_v3"))


@pytest.fixture(scope="module")
def sampled(database_url: str) -> str:
    """A database that holds the sample's table too."""
    migrate(database_url, [sample])
    return database_url


async def kept(conn: AsyncConnection, *rows: SampleRow, workspace: Id = SHOP) -> list[SampleRow]:
    """Written as the project role writes them, and read again."""
    writing = ProjectionBatch(sample, [])
    writing.after = {(workspace, row.sample_id): row for row in rows}
    writing.pack()
    await writing.save(conn)
    reading = ProjectionBatch(sample, [])
    reading.keys = dict.fromkeys(writing.after)
    await reading.receive(await reading.load(conn))
    return [found for row in rows if isinstance(found := reading.before[workspace, row.sample_id], SampleRow)]


def test_a_row_comes_back_as_it_was(sampled: str) -> None:
    async def run() -> None:
        async with await open_connection(sampled) as conn:
            assert await kept(conn, EMPTY, FULL) == [EMPTY, FULL]

    asyncio.run(run())


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
times = st.one_of(st.integers(YEAR_1, YEAR_9999), st.integers(YEAR_9999 - 10**12, YEAR_9999)).map(Micros)
longs = st.integers(-(2**63), 2**63 - 1)
samples = st.builds(
    SampleRow,
    sample_id=st.sampled_from(KEYS),
    text=texts,
    number=longs,
    flag=st.booleans(),
    at=times,
    words=st.lists(texts, max_size=3).map(tuple),
    said=st.dictionaries(texts, st.decimals(allow_nan=False, allow_infinity=False, places=2).map("{:f}".format)),
    no_id=st.none() | st.sampled_from(KEYS),
    no_text=st.none() | texts,
    no_number=st.none() | longs,
    no_flag=st.none() | st.booleans(),
    no_time=st.none() | times,
)


@settings(max_examples=100)
@for_any(row=samples)
def test_any_row_comes_back_as_it_was(sampled: str, row: SampleRow) -> None:
    """Times past the year 2255 were once microseconds off: the last moment of 9999 lay in 10000."""

    async def run() -> None:
        async with await open_connection(sampled) as conn:
            assert await kept(conn, row) == [row]

    asyncio.run(run())


def test_a_row_belongs_to_its_workspace(sampled: str) -> None:
    """The same key in two workspaces is two rows; one goes, the other stays."""
    theirs = KEYS[7]

    async def run() -> None:
        async with await open_connection(sampled) as conn:
            await kept(conn, FULL)
            assert await kept(conn, SampleRow(FULL.sample_id, *row_values(EMPTY)), workspace=theirs)
            gone = read_models.packed_keys([(theirs, FULL.sample_id)])
            await conn.execute(read_models.delete(sample).encode(), gone)
            left = await conn.execute(
                "SELECT workspace::text, text FROM read.sample_v3 WHERE sample_id = %s", [FULL.sample_id]
            )
            assert await left.fetchall() == [(SHOP, FULL.text)]

    asyncio.run(run())


def row_values(row: SampleRow) -> list[Any]:
    return [getattr(row, name) for name in row.__struct_fields__[1:]]


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(table, kind, index) of each access in a plan."""
    if "Relation Name" in plan:
        yield plan["Relation Name"], plan["Node Type"], plan.get("Index Name", "")
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


BY_KEYS = [(name, statement) for statement in (read_models.load, read_models.delete) for name in PROJECTIONS]
BY_KEYS += [
    (n, s) for s in (field_values.add, field_values.remove) for n, p in PROJECTIONS.items() if field_values.kept(p)
]


@pytest.mark.parametrize(("name", "statement"), BY_KEYS)
def test_a_plan_made_on_an_empty_table_uses_the_primary_key(fresh_database_url: str, name: str, statement: Any) -> None:
    """Plans are made once, when tables are empty and every index looks alike. One that took an index of (workspace,
    other columns, key) skipped the middle columns and scanned the whole workspace: throughput fell by half."""
    read: Projection[Any] = PROJECTIONS[name]
    query = "EXPLAIN (GENERIC_PLAN, FORMAT JSON) " + statement(read).replace("%s", "$1", 1).replace("%s", "$2")

    async def run() -> list[tuple[str, str, str]]:
        async with await open_connection(fresh_database_url) as conn:
            ((found,),) = await (await conn.execute(query.encode())).fetchall()
            return sorted(set(scans(found[0]["Plan"])))

    ((table, kind, index),) = [scan for scan in asyncio.run(run()) if scan[1] != "ModifyTable"]
    assert table in (read.table, f"{read.table}{field_values.SUFFIX}")
    assert (kind, index) == ("Index Scan", f"{table}_pkey")


@pytest.fixture
def bare_database_url(postgres: str) -> Iterator[str]:
    """A database that nothing was ever made in."""
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute("CREATE DATABASE bare")
        yield database_of(postgres, "bare")
        conn.execute("DROP DATABASE bare WITH (FORCE)")


def test_two_migrate_at_once_and_again(bare_database_url: str) -> None:
    """Every role may do so at its start."""

    def bring_up(_: int) -> None:
        migrate(bare_database_url, PROJECTIONS.values())

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(bring_up, range(2))) == [None, None]
    with psycopg.connect(bare_database_url) as conn:
        conn.execute("UPDATE core.journal_head SET next = 7 WHERE partition = 3")
    bring_up(0)
    with psycopg.connect(bare_database_url) as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'read' ORDER BY 1").fetchall()
        views = conn.execute("SELECT viewname FROM pg_views WHERE schemaname = 'read' ORDER BY 1").fetchall()
        heads = conn.execute("SELECT partition, next FROM core.journal_head ORDER BY 1").fetchall()
    extra = [("totals", p) for p in PROJECTIONS.values() if p.totals]
    extra += [("field_values", PROJECTIONS[name]) for name in ("contact", "deal")]
    wanted = [*(p.table for p in PROJECTIONS.values()), *(f"{p.table}_{what}" for what, p in extra)]
    assert [name for (name,) in tables] == sorted(wanted)
    assert [name for (name,) in views] == sorted([*PROJECTIONS, *(f"{p.name}_{what}" for what, p in extra)])
    assert heads == [(n, 7 if n == 3 else 0) for n in range(JOURNAL.partitions)]


def test_a_row_that_changed_without_a_new_version_is_refused(bare_database_url: str) -> None:
    """The role would have run into the missing column forever."""
    migrate(bare_database_url, [sample])
    fewer = dataclasses.replace(sample, columns=tuple(c for c in sample.columns if c.name != "flag"))
    with pytest.raises(Broken) as refused:
        migrate(bare_database_url, [fewer])
    assert str(refused.value) == (
        "The row of projection sample has changed in flag, and its version is still 3. Nothing was changed. "
        "Raise its version: the new table is filled from the journal."
    )
    migrate(bare_database_url, [sample])
