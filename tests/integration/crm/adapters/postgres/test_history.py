"""The journal by streams in Postgres: whole whatever the batches, and what asof and why fold from it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace
from psycopg import AsyncConnection

from crm.adapters.archive.container import ArchivedRecord
from crm.adapters.postgres import history
from crm.asof import row_as_of, rows_as_of
from crm.contract.codec import encode
from crm.engine.provenance import Link
from crm.envelope import Event, Fact
from crm.errors import Broken
from crm.events import DealOpened, NoteAdded
from crm.moments import Clock, last
from crm.scalars import Id, Micros
from crm.shared import Raw
from projections import PROJECTIONS
from projections.deal import deal
from services.cli.commands.asof import one_row
from services.cli.commands.why import links_of
from streams.project import Project
from tests.support.archives import write
from tests.support.fact_strategies import any_facts
from tests.support.operator_session import OperatorSession
from tests.support.project_role import ProjectRole, in_memory
from tests.support.records import Record, events_of, in_workspace, journal, open_connection
from tests.support.scenarios import RULES, form

END = last("2030-01-01")
OLEH = "+380501112233"


async def projected(conn: AsyncConnection, log: Sequence[Record], size: int = 500) -> None:
    await conn.execute("TRUNCATE core.checkpoint")
    role = ProjectRole(conn)
    role.consumption.handler = Project(PROJECTIONS.values(), with_history=True)
    role.consumers = role.consumption.handler.consumers
    await (await role.start()).catch_up(log, size)


@settings(max_examples=20)
@for_any(facts=any_facts(), size=st.integers(1, 12), again=st.booleans())
def test_every_row_folds_again_from_its_own_events(
    database_url: str, facts: list[Fact], size: int, again: bool
) -> None:
    workspace = Id(str(uuid4()))
    events = events_of(facts, workspace)

    async def run() -> tuple[dict[Any, Any], dict[Any, Any]]:
        async with await open_connection(database_url) as conn:
            for _ in range(1 + again):
                await projected(conn, journal(events), size)
            single, whole = {}, {}
            for name, w, key in in_memory(events):
                projection = PROJECTIONS[name]
                own = await history.of_row(conn, projection, workspace, Id(key))
                single[name, w, key] = row_as_of(projection, own, END, Clock.OCCURRED)
            for name, projection in PROJECTIONS.items():
                found = await history.of_workspace(conn, projection, workspace)
                rows = rows_as_of(projection, found, END, Clock.OCCURRED)
                whole |= {(name, workspace, key): row for key, row in rows.items()}
            return single, whole

    assert asyncio.run(run()) == (in_memory(events), in_memory(events))


def test_an_event_that_was_left_out_would_be_seen(fresh_database_url: str) -> None:
    """The law above finds a planted bug: a history that lacks the deal's opening folds to nothing."""
    workspace = Id(str(uuid4()))
    events = events_of([form("1", phones=[OLEH], amount_minor=100)], workspace)
    key = next(key for name, _, key in in_memory(events) if name == "deal")

    async def run() -> Any:
        async with await open_connection(fresh_database_url) as conn:
            await projected(conn, journal(events))
            opened = sorted(history.frames([DealOpened]))
            await conn.execute("DELETE FROM core.history WHERE substr(event, 2, 4) = ANY (%b)", [opened])
            return await history.of_row(conn, deal, workspace, Id(key))

    assert row_as_of(deal, asyncio.run(run()), END, Clock.OCCURRED) is None


def test_too_much_is_said_before_it_is_folded(fresh_database_url: str) -> None:
    workspace = Id(str(uuid4()))
    events = events_of([form("1", phones=[OLEH], amount_minor=100)], workspace)
    key = next(key for name, _, key in in_memory(events) if name == "deal")

    async def run(limit: int) -> list[Event]:
        async with await open_connection(fresh_database_url) as conn:
            await projected(conn, journal(events))
            await history.of_workspace(conn, deal, workspace, limit)
            return await history.of_row(conn, deal, workspace, Id(key), limit)

    assert asyncio.run(run(100))
    with pytest.raises(Broken, match=r"more than 1 events that deal is folded from\. Nothing was folded\. Replay them"):
        asyncio.run(run(1))


def test_why_a_deal_has_its_owner_down_to_the_form_that_was_sent(kafka_bootstrap: str, fresh_database_url: str) -> None:
    workspace = Id(str(uuid4()))
    raw = Raw("application/x-www-form-urlencoded", {"cookie": "secret"}, "", b"phone=050+111+22+33&sum=1")
    fact = in_workspace(replace(form("1", phones=[OLEH], amount_minor=100), raw=raw), workspace)

    async def run() -> tuple[Any, list[Link], list[Link]]:
        async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
            sent = await producer.send_and_wait("crm.intake.forms", encode(fact), partition=1)
        place = {"cause_topic": sent.topic, "cause_partition": sent.partition, "cause_offset": sent.offset}
        events = [replace(e, meta=replace(e.meta, **place)) for e in events_of([fact], workspace)]
        async with await open_connection(fresh_database_url) as conn:
            await projected(conn, journal(events))
        row = await one_row(fresh_database_url, deal, workspace, "D-1", END, Clock.RECORDED)
        query = fresh_database_url, kafka_bootstrap, None, deal, workspace, "d-1", "owner"
        return row, await links_of(*query, False), await links_of(*query, True)

    row, (link,), every = asyncio.run(run())
    assert (row.number, row.owner) == (1, "anna")
    assert (link.field, link.before, link.value, link.event) == ("owner", "", "anna", "DealAssigned")
    assert (link.reasons["rule"], link.reasons["rules_version"], link.actor) == ("Form", 1, "rule Form")
    assert link.fact is not None
    assert (link.fact.type, link.fact.topic, link.fact.partition) == ("FormSubmitted", "crm.intake.forms", 1)
    assert (link.fact.content_type, link.fact.body) == (raw.content_type, "phone=050+111+22+33&sum=1")
    assert "secret" not in repr(link)
    assert link.lines()[-1] == "     phone=050+111+22+33&sum=1"
    assert [each.event for each in every] == ["DealAssigned", "DealOpened"]


def test_a_fact_that_kafka_lost_is_found_in_the_archive_or_is_said(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path
) -> None:
    workspace = Id(str(uuid4()))
    topic, partition, offset = place = "crm.intake.forms", 3, 10**9
    fact = in_workspace(form("1", phones=[OLEH], amount_minor=100), workspace)
    facts = [
        replace(e, meta=replace(e.meta, cause_topic=topic, cause_partition=partition, cause_offset=offset))
        for e in events_of([fact], workspace)
    ]

    async def run() -> list[Link]:
        async with await open_connection(fresh_database_url) as conn:
            await projected(conn, journal(facts))
        found = []
        for archive in None, tmp_path / "ours", tmp_path / "strange":
            query = fresh_database_url, kafka_bootstrap, archive, deal, workspace, "D-1", "stage", False
            found += await links_of(*query)
        return found

    ours = replace(fact, raw=Raw("text/plain", {}, "", b"phone=050"))
    for folder in "ours", "strange":
        (tmp_path / folder).mkdir()
    write(tmp_path / "ours", place[:2], [ArchivedRecord(offset, 0, b"", encode(ours))])
    write(tmp_path / "strange", place[:2], [ArchivedRecord(offset, 0, b"", encode(form("1", phones=[OLEH])))])
    nowhere, archived, strange = (link.fact for link in asyncio.run(run()))
    assert nowhere and archived and strange
    assert nowhere.lost.startswith("Kafka does not have crm.intake.forms/3/1000000000")
    assert nowhere.lost.endswith("An archive from before may have it: --archive FOLDER, or CRM_ARCHIVE.")
    assert (archived.lost, archived.type, archived.body) == ("", "FormSubmitted", "phone=050")
    assert strange.lost.startswith("Something else lies there")
    with pytest.raises(ValueError, match=r"There is no deal D-7 in this workspace\."):
        asyncio.run(one_row(fresh_database_url, deal, workspace, "D-7", END, Clock.RECORDED))


def test_a_note_that_was_taken_away_is_there_as_of_before(database_url: str) -> None:
    """The bug: its row is gone, and with it the ids that name the streams of its events."""
    workspace = Id(str(uuid4()))
    story = OperatorSession(*RULES).do("contact_create", name="Ivan")
    story.do("note_add", contact_id=story.contact().contact_id, text="x")
    (key,) = (event.note_id for event in story.decide.journal if isinstance(event, NoteAdded))
    events = [
        replace(e, meta=replace(e.meta, workspace=workspace, recorded_at=Micros(n)))
        for n, e in enumerate(story.do("note_remove", note_id=key).decide.journal)
    ]

    async def run() -> Any:
        async with await open_connection(database_url) as conn:
            await projected(conn, journal(events))
            return await history.of_row(conn, PROJECTIONS["note"], workspace, key)

    own = asyncio.run(run())
    assert row_as_of(PROJECTIONS["note"], own, Micros(len(events) - 2), Clock.RECORDED).text == "x"
    assert row_as_of(PROJECTIONS["note"], own, END, Clock.RECORDED) is None
