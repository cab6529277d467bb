"""A run that is paused goes on at its row, and what was counted is not counted again."""

import asyncio
from pathlib import Path

import pytest

from crm.adapters.import_store import ImportStore
from crm.imports import Options, Phase, Request, Wish, digest_of, next_request
from services.imports import __main__ as role
from services.imports.importing import Importing
from tests.support.scenarios import NOON, SHOP
from tests.unit.services.imports.test_inbox import Connection, work

ROWS = 9


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows that a run takes: three, and then its status is stored."""
    rows = list[int]()

    async def run(self: Importing, *_: object) -> None:
        for read in self.reading.rows():
            if read.row.number <= self.status.row:
                continue
            rows.append(read.row.number)
            self.status.row, self.status.counts.rows = read.row.number, self.status.counts.rows + 1
            self.status.decided += 1
            if not len(rows) % 3:
                await self.report()
                if self.is_over():
                    return

    async def undone_count(*_: object) -> int:
        return 0

    monkeypatch.setattr(role, "AsyncConnection", Connection)
    monkeypatch.setattr(role, "undone_count", undone_count)
    monkeypatch.setattr(Importing, "run", run)
    return rows


@pytest.mark.parametrize(("options", "rows"), [(None, 9), (Options(system="crm1"), 12)])
def test_it_goes_on_where_it_was(
    tmp_path: Path, taken: list[int], monkeypatch: pytest.MonkeyPatch, options: Options | None, rows: int
) -> None:
    async def test() -> None:
        store, file = ImportStore.open(str(tmp_path / "store")), tmp_path / "people.csv"
        file.write_text("Name\n" + "".join(f"Ann {n}\n" for n in range(ROWS)))
        await store.keep(SHOP, digest_of(file), file)
        request = Request(SHOP, SHOP, "people.csv", digest_of(file), 1, NOON, Wish.RUN)
        await store.ask(request)
        reported = store.report

        async def report(workspace: object, status: object) -> None:
            await reported(SHOP, status)  # type: ignore[arg-type]  # as it is given
            newest = await store.request(SHOP, SHOP)
            if len(taken) == 3 and newest == request:
                await store.ask(next_request(request, await store.status(SHOP, SHOP), Wish.PAUSE))

        monkeypatch.setattr(store, "report", report)
        status = await work(store)  # what was begun
        monkeypatch.setattr(store, "report", reported)
        status = await work(store)  # the pause
        assert status is not None and (status.phase, status.counts.rows, status.row) == (Phase.PAUSED, 3, 4)
        assert status.message == "Paused. 3 rows were imported; it goes on there when it is run again."
        assert await store.waiting() == []
        paused = await store.request(SHOP, SHOP)
        assert paused is not None
        await store.ask(next_request(paused, status, Wish.RUN, options))
        status = await work(store)
        assert status is not None and (status.phase, status.message) == (Phase.DONE, "")
        assert (status.counts.rows, status.decided, len(taken)) == (ROWS, ROWS, rows)

    asyncio.run(test())
