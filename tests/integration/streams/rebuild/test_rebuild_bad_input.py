"""More errors of a rebuild: each is a sentence, nothing is swapped or lost, and the next run succeeds."""

import asyncio
import os
from functools import partial
from pathlib import Path

import psycopg
import pytest

from crm.adapters.archive import manifest
from crm.errors import Broken, CrmError
from crm.topics import journal_partition
from streams.rebuild import versions
from streams.rebuild.compare.verify import verify
from streams.rebuild.fold import fold
from streams.rebuild.fold.time_limit import work_limit
from streams.rebuild.rebuild import RebuildPlan
from streams.rebuild.spec import RebuildSpec, load_projections
from streams.rebuild.worker import RebuildWorker
from tests.chaos.small_disk import SmallDisk
from tests.chaos.unavailable import Unavailable
from tests.integration.streams.replay.test_replay import publish
from tests.support.first_quarter import archive, records
from tests.support.rebuild_setup import RebuildSetup, cards
from tests.support.servers import IN_CONTAINERS

FOLD = '''"""Orders."""
from crm.envelope import Row
from crm.events import DealOpened
from crm.projection import projection
from crm.scalars import Id

class OrderRow(Row, frozen=True, gc=False):
    """An order."""
    deal_id: Id
    COLUMN: int

@projection(key="deal_id", version=1)
def order(row: OrderRow | None, event: DealOpened) -> OrderRow | None:
    return OrderRow(event.deal_id, event.number)
'''


@pytest.fixture
def replayed(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> RebuildSetup:
    return RebuildSetup(kafka_bootstrap, fresh_database_url, tmp_path)


async def filled(replayed: RebuildSetup, number: int = 6) -> list[tuple[object, ...]]:
    await replayed.create()
    await replayed.write(cards(0, number))
    await replayed.project()
    return await asyncio.to_thread(replayed.rows, "deal")


async def refused(plan: RebuildPlan, replayed: RebuildSetup) -> str:
    """What is said. What is read, and how far it is, are as they were; no table stays."""
    state = "SELECT md5(string_agg(c::text, '|' ORDER BY c::text)) FROM core.checkpoint AS c"
    before = [await asyncio.to_thread(replayed.rows, "deal"), await asyncio.to_thread(replayed.do, state)]
    with pytest.raises(CrmError) as error:
        await replayed.rebuild(*plan.names, file=plan.file, archive=plan.archive)
    assert before == [await asyncio.to_thread(replayed.rows, "deal"), await asyncio.to_thread(replayed.do, state)]
    return str(error.value)


def test_a_schema_registry_that_is_away_is_never_contacted(
    replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schema ids are part of the release. Naming a registry in the environment makes no difference."""
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://127.0.0.1:9")

    async def run() -> None:
        rows = await filled(replayed)
        assert (await replayed.rebuild("deal")).reports["deal"].equal == 6
        assert await asyncio.to_thread(replayed.rows, "deal") == rows

    asyncio.run(run())


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("order", "line 12: No column can be named 'order': it is a word of SQL. Rename the field"),
        ("Number", "line 12: No column can be named 'Number': it takes small Latin letters"),
        ("number", ""),
    ],
)
def test_a_column_that_sql_forbids(replayed: RebuildSetup, column: str, said: str) -> None:
    file = replayed.folder / "order.py"
    file.write_text(FOLD.replace("COLUMN", column))
    if not said:
        assert [p.name for p in load_projections(["order"], str(file))] == ["order"]
        return
    with pytest.raises(CrmError) as error:
        asyncio.run(replayed.rebuild("order", file=str(file)))
    assert said in str(error.value)
    assert str(error.value).startswith(str(file))
    assert str(error.value).endswith(" Nothing was changed.")
    assert replayed.do("SELECT to_regclass('read.order_v1')") == [(None,)]


GIVE = "    return Order"


def endless(replayed: RebuildSetup, when: str) -> str:
    file = replayed.folder / "order.py"
    file.write_text(FOLD.replace("COLUMN", "number").replace(GIVE, f"    while {when}:\n        pass\n{GIVE}"))
    return str(file)


def test_a_fold_that_never_ends(replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check against the golden records once hung forever."""
    file = endless(replayed, "True")
    monkeypatch.setattr(versions, "work_limit", partial(work_limit, 0.2))
    with pytest.raises(CrmError, match=r"line 14\) cannot take the golden records: .* did not return"):
        asyncio.run(replayed.rebuild("order", file=file))


def test_a_fold_that_does_not_end_with_one_event(replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process, as it shortens the limit."""
    file = endless(replayed, "event.number == 3")
    monkeypatch.setattr(fold, "work_limit", partial(work_limit, 0.2))
    partition = journal_partition(cards(3, 1)[0].meta.stream)

    async def run() -> None:
        await filled(replayed)
        spec = RebuildSpec(
            *(replayed.bootstrap, replayed.topic, replayed.dsn, "building", ("order",), dict(replayed.next)), file=file
        )
        work = RebuildWorker(spec)
        await work.kafka.bootstrap()
        with pytest.raises(fold.FoldFailed, match=r"line 1[34]\) cannot take DealOpened .* did not return"):
            await work.group([partition])
        await work.kafka.close()
        for sink in work.sinks:
            sink.conn.close()

    asyncio.run(run())


def test_an_archive_that_is_cut(replayed: RebuildSetup, tmp_path: Path) -> None:
    parts = records(cards(0, 20))
    folder = archive(tmp_path / "archive", parts)

    async def run() -> None:
        await publish(replayed.bootstrap, replayed.topic, parts)
        await replayed.project()
        file = folder / manifest.read(folder).files[0].path
        whole = file.read_bytes()
        file.write_bytes(whole[:-30])
        said = await refused(replayed.plan("deal", archive=str(folder)), replayed)
        assert f"The archive {folder} is damaged. " in said
        assert " bytes instead of" in said
        file.write_bytes(whole)
        await replayed.rebuild("deal", archive=str(folder))

    asyncio.run(run())


@pytest.mark.skipif(IN_CONTAINERS, reason="makes a disk for the server that it starts itself")
def test_a_full_disk(replayed: RebuildSetup) -> None:
    """A disk of its own, really full, for the tables that Postgres creates in this database."""
    name = "small_disk"

    async def run(disk: SmallDisk) -> None:
        rows = await filled(replayed)
        alone = psycopg.conninfo.conninfo_to_dict(replayed.dsn)["dbname"]
        await asyncio.to_thread(replayed.do, f"ALTER DATABASE {alone} SET default_tablespace = {name}")
        disk.fill()
        said = await refused(replayed.plan("deal", "timeline"), replayed)
        assert said.startswith("The disk is full (could not extend file ")
        assert said.endswith("No space left on device). Nothing was swapped. Make room and run it again.")
        with pytest.raises(Broken, match=r"The disk is full \(could not .* Make room and run it again\."):
            await verify(replayed.plan("deal", "timeline"))
        assert await asyncio.to_thread(replayed.do, "SELECT to_regclass('read.deal') IS NOT NULL") == [(True,)]
        disk.release()
        await replayed.rebuild("deal", "timeline")
        assert await asyncio.to_thread(replayed.rows, "deal") == rows
        assert (await verify(replayed.plan("deal", "timeline"))).same
        await asyncio.to_thread(replayed.do, f"ALTER DATABASE {alone} RESET default_tablespace")

    try:
        with psycopg.connect(replayed.dsn) as conn:
            ((data,),) = conn.execute("SHOW data_directory").fetchall()
        owner = Path(data).stat()
        with SmallDisk(Path(data).with_name(name), 64 << 20) as disk:
            place = disk.folder / "tables"
            (disk.folder / "kept").write_bytes(b"x")  # an empty disk cannot be filled
            place.mkdir()
            os.chown(place, owner.st_uid, owner.st_gid)
            with psycopg.connect(replayed.dsn, autocommit=True) as conn:
                conn.execute(f"CREATE TABLESPACE {name} LOCATION '{place}'".encode())
            asyncio.run(run(disk))
            with psycopg.connect(replayed.dsn, autocommit=True) as conn:
                conn.execute(f"ALTER TABLE ALL IN TABLESPACE {name} SET TABLESPACE pg_default".encode())
                conn.execute(f"ALTER INDEX ALL IN TABLESPACE {name} SET TABLESPACE pg_default".encode())
                conn.execute(f"DROP TABLESPACE {name}".encode())
    except Unavailable as error:
        pytest.skip(str(error))
