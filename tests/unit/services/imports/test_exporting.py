"""Exports that the API was asked for: written once, refused with what Postgres says, tried again while it is away."""

import asyncio
from typing import Any

import psycopg
import pytest
from obstore.store import MemoryStore

from crm.adapters.export_store import ExportStore
from crm.exports import Format, Phase, Request, Status
from crm.scalars import Id
from services.imports import exporting
from services.operations.export_schedule import Due
from tests.support.scenarios import CONNECTION, NOON, SHOP

REQUEST = Request(CONNECTION, SHOP, "deal", "stage = 'won'", Format.XLSX, NOON)


def outcome(monkeypatch: pytest.MonkeyPatch, answer: int | Exception) -> tuple[Status, list[Request], list[Due]]:
    """Returns the status of an export, what still waits, and what was written."""
    written: list[Due] = []

    def write(_dsn: str, _store: Any, one: Due) -> int:
        written.append(one)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(exporting, "write", write)

    async def test() -> tuple[Status, list[Request]]:
        store = ExportStore(MemoryStore())
        await store.ask(REQUEST)
        await exporting.export_wanted(store, "postgresql://nowhere")
        await exporting.export_wanted(store, "postgresql://nowhere")
        return await store.status(SHOP, Id(CONNECTION)), await store.waiting()

    return *asyncio.run(test()), written


def test_it_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    status, waiting, written = outcome(monkeypatch, 7)
    assert (status, waiting) == (Status(Phase.DONE, 7), [])
    ((one, path),) = written
    assert (one.workspace, one.what, one.where, one.file, path) == (
        SHOP,
        "deal",
        "stage = 'won'",
        "deal.xlsx",
        f"exports/{SHOP}/{CONNECTION}/file",
    )


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (psycopg.errors.UndefinedColumn('column "x" does not exist\nLINE 1: …'), 'column "x" does not exist'),
        (psycopg.errors.QueryCanceled("canceling statement due to statement timeout"), "canceling statement due to"),
    ],
)
def test_what_postgres_refuses_is_said(monkeypatch: pytest.MonkeyPatch, error: Exception, why: str) -> None:
    status, waiting, written = outcome(monkeypatch, error)
    assert status.phase is Phase.FAILED
    assert status.message.startswith(why) and status.message.endswith(". Nothing was exported.")
    assert (waiting, len(written)) == ([], 1)


def test_while_postgres_is_away_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    status, waiting, written = outcome(monkeypatch, psycopg.OperationalError("connection refused"))
    assert (status, waiting, len(written)) == (Status(), [REQUEST], 2)
