"""Decide past the limit of dead letters: it commits nothing, is not ready, and says what is wrong."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from crm.contract.codec import encode
from crm.decisions import decided
from crm.decisions.delivery import set_aside
from crm.engine import decide_batch as deciding
from crm.engine.dead_letters import TooManyDeadLetters
from crm.engine.workspaces import create_workspace
from crm.envelope import Event, Fact
from crm.facts import FactRetried
from crm.scalars import Id
from crm.settings import Settings
from streams.decide import Decide, DecideLoop
from streams.runtime.loop import Handler
from tests.support.records import Record, in_workspace, open_connection
from tests.support.scenarios import form

WORKSPACE = Id(str(uuid4()))


@pytest.fixture
def wrong_deploy(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    """The rule for forms stumbles over every one of them."""

    def stumbling(case: Any) -> list[Event]:
        if type(case.fact).__name__ in ("FormSubmitted", "FactRetried"):
            raise ZeroDivisionError("planted")
        return decided(case)

    monkeypatch.setattr(deciding, "decided", stumbling)
    asyncio.run(create_workspace(database_url, WORKSPACE, "Shop"))
    return database_url


def records(facts: Sequence[Fact], first: int = 0) -> list[Record]:
    return [Record(encode(fact), first + n) for n, fact in enumerate(facts)]


def forms(batch: str, count: int) -> list[Fact]:
    return [in_workspace(form(f"{batch}/{n}"), WORKSPACE) for n in range(count)]


async def batch(dsn: str, handler: Handler, facts: Sequence[Fact], first: int = 0) -> None:
    async with await open_connection(dsn) as conn, conn.pipeline(), conn.transaction():
        await handler.handle(conn, {"decide": records(facts, first)}, False)


async def taken(dsn: str, facts: Sequence[Fact]) -> int:
    async with await open_connection(dsn) as conn:
        query = "SELECT count(*) FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"
        row = await (await conn.execute(query, [[fact.meta.id for fact in facts]])).fetchone()
        return int(row[0]) if row else 0


def test_past_the_limit_nothing_is_committed_and_the_role_says_why(wrong_deploy: str) -> None:
    role = DecideLoop(Settings(database_url=wrong_deploy, quarantine_limit=5))
    few, many = forms("few", 5), forms("many", 1)

    async def run() -> tuple[int, int]:
        await batch(wrong_deploy, role.handler, few)
        assert role.missing() == "decide has not joined its consumer group yet"
        for _ in range(2):  # also when it tries again
            with pytest.raises(TooManyDeadLetters):
                await batch(wrong_deploy, role.handler, many, 5)
        return await taken(wrong_deploy, few), await taken(wrong_deploy, many)

    assert asyncio.run(run()) == (5, 0)
    assert (role.missing() or "").startswith(
        "6 of the last 6 facts could not be decided on; the newest, at crm.intake.forms/0/5: the rule for it failed: "
        "ZeroDivisionError('planted'). So many say that decide itself is at fault"
    )


def test_without_a_limit_all_of_them_are_quarantined(wrong_deploy: str) -> None:
    facts = forms("unlimited", 20)

    async def run() -> int:
        await batch(wrong_deploy, Decide(0), facts)
        return await taken(wrong_deploy, facts)

    assert asyncio.run(run()) == 20


def test_unreadable_records_count(wrong_deploy: str) -> None:
    async def run() -> None:
        async with await open_connection(wrong_deploy) as conn, conn.pipeline(), conn.transaction():
            await Decide(5).handle(conn, {"decide": [Record(b"?", 900 + n) for n in range(6)]}, False)

    with pytest.raises(TooManyDeadLetters, match=r"the newest, at crm\.intake\.forms/0/905: the record is not framed"):
        asyncio.run(run())


def test_what_was_quarantined_before_does_not_count(wrong_deploy: str) -> None:
    """An operator who takes up a thousand stumbled facts too early must not stop decide for all others."""
    of_intake = [set_aside(fact, "no JSON") for fact in forms("of intake", 10)]
    by_hand = [FactRetried(fact.meta, fact.meta.id, encode(fact)) for fact in forms("by hand", 10)]

    async def run() -> int:
        await batch(wrong_deploy, Decide(5), [*of_intake, *by_hand])
        return await taken(wrong_deploy, [*of_intake, *by_hand])

    assert asyncio.run(run()) == 20
