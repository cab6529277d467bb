"""A trial says what deciding does, fact by fact and batch by batch, and leaves nothing behind."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from crm.engine.in_memory import MemoryDecide
from crm.engine.trial import Outcome, Trial
from crm.envelope import Event, Fact
from crm.scalars import Id
from tests.integration.crm.engine.test_deciding import begin, in_batches, outbox, stored
from tests.support.fact_strategies import any_facts
from tests.support.records import in_workspace, open_connection, rules_of
from tests.support.scenarios import NOON


def without_place(event: Event) -> Event:
    """The clock, and where the record of a fact lies, are no part of what is decided."""
    same: dict[str, Any] = {"recorded_at": NOON, "cause_topic": "", "cause_partition": -1, "cause_offset": -1}
    meta = msgspec.structs.replace(event.meta, **same)
    return msgspec.structs.replace(event, meta=meta)  # type: ignore[call-arg]  # every event has an envelope


@settings(max_examples=40)
@for_any(facts=any_facts(), size=st.integers(1, 5), before=st.integers(0, 8))
def test_a_trial_says_what_deciding_does(database_url: str, facts: list[Fact], size: int, before: int) -> None:
    workspace = Id(str(uuid4()))
    rules, own_facts = rules_of(workspace), [in_workspace(fact, workspace) for fact in facts]
    memory = MemoryDecide()
    memory.append(*rules)
    expected = [memory.take(fact) for fact in own_facts]

    async def run() -> list[Outcome]:
        async with await open_connection(database_url) as conn:
            await begin(conn, workspace, rules)
            await in_batches(conn, own_facts[:before], 3)
            there = await stored(conn, workspace), await outbox(conn, workspace)
            with Trial(conn) as trial:
                said = [one for n in range(0, len(facts), size) for one in await trial.decide(own_facts[n : n + size])]
            assert (await stored(conn, workspace), await outbox(conn, workspace)) == there
            return said

    said = asyncio.run(run())
    assert said[:before] == [None] * len(own_facts[:before])
    for outcome, events in zip(said[before:], expected[before:], strict=True):
        assert isinstance(outcome, list)
        assert [without_place(event) for event in outcome] == [without_place(event) for event in events]
