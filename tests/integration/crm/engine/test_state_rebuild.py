"""A release with other folds rebuilds the state from the journal before anything is decided."""

import asyncio
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from crm.engine import state_rebuild
from crm.state.shape import FOLDS
from tests.integration.crm.engine.test_recovery import (
    Content,
    begin,
    content,
    decide_all,
    ensure,
    own,
    publish_all,
    shop_of,
)
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import open_connection

__all__ = ["own"]
SPOIL = """
UPDATE core.folds SET version = %s;
DELETE FROM core.state WHERE key LIKE 'Identity/%%';
UPDATE core.state SET value = '{"contact_id": "11111111-1111-5111-8111-111111111111"}' WHERE key LIKE 'Contact/%%'"""


async def spoil(dsn: str, version: int) -> None:
    """As if other folds had made it."""
    async with await open_connection(dsn) as conn:
        for statement in SPOIL.split(";"):
            await conn.execute(statement.encode(), [version] if "%s" in statement else None)


async def made_by(dsn: str) -> Any:
    async with await open_connection(dsn) as conn:
        return await (await conn.execute(state_rebuild.MADE_BY)).fetchone()


def test_what_is_in_kafka_and_what_is_still_in_the_outbox_is_folded_again(own: IsolatedJournal) -> None:
    async def run() -> tuple[Content, Content, Any]:
        workspace, facts = shop_of(own)
        await begin(own.dsn, workspace)
        await decide_all(own.dsn, facts[:60])
        await publish_all(own)
        await decide_all(own.dsn, facts[60:], 60)
        before = await content(own.dsn)
        await spoil(own.dsn, FOLDS + 1)
        assert await content(own.dsn) != before
        assert await ensure(own, own.dsn) == 0
        return before, await content(own.dsn), await made_by(own.dsn)

    before, after, made = asyncio.run(run())
    assert after == before
    assert made == (FOLDS,)


def test_ended_midway_it_begins_again_and_nobody_decides_meanwhile(
    own: IsolatedJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.engine.state_fold.AT_ONCE", 20)

    async def run() -> tuple[Content, Content]:
        workspace, facts = shop_of(own)
        await begin(own.dsn, workspace)
        await decide_all(own.dsn, facts[:60])
        await publish_all(own)
        before = await content(own.dsn)
        await spoil(own.dsn, FOLDS + 1)
        with (
            patch.object(state_rebuild, "remember", side_effect=[None, InterruptedError]),
            pytest.raises(InterruptedError),
        ):
            await ensure(own, own.dsn)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="a fold of another version"):
            await decide_all(own.dsn, facts[60:], 60)
        await ensure(own, own.dsn)
        return before, await content(own.dsn)

    before, after = asyncio.run(run())
    assert after == before


def test_a_release_that_knows_only_the_first_folds_is_refused(own: IsolatedJournal) -> None:
    """It would write rows of the old shape next to the new ones."""

    async def run() -> None:
        await spoil(own.dsn, 2)
        async with await open_connection(own.dsn) as conn:
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="a fold of another version"):
                await conn.execute("SELECT core.must_be_compared()")

    asyncio.run(run())
