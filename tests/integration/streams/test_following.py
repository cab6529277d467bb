"""One fact in the logs of the roles: its effects are logged at level debug, and only there."""

import asyncio
import logging
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from crm.engine.decide_batch import Arrived, decide
from crm.envelope import Fact
from crm.scalars import Id
from projections import PROJECTIONS
from streams.project import Project
from tests.integration.crm.engine.test_deciding import begin
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import in_workspace, open_connection, rules_of
from tests.support.scenarios import form

SOME = [PROJECTIONS["contact"], PROJECTIONS["deal"]]
EFFECTS = {
    "ContactCreated": ["contact"],
    "DealOpened": ["deal"],
    "DealAssigned": ["deal"],
}


def logged(bootstrap: str, dsn: str, workspace: Id, fact: Fact) -> list[dict[str, Any]]:
    """The lines of decide, relay and project on one fact, and on the rules that were there before."""
    own = IsolatedJournal(bootstrap, dsn)

    async def run() -> list[dict[str, Any]]:
        await own.create_topics()
        with capture_logs() as said:
            async with await open_connection(dsn) as conn:
                await begin(conn, workspace, rules_of(workspace))
                async with conn.transaction():
                    await decide(conn, [Arrived(fact, "crm.intake.forms", 2, 77)])
                async with own.relaying() as relay:
                    await own.published(relay)
                records = [r for some in (await own.records()).values() for r in some]
                async with conn.pipeline(), conn.transaction():
                    await Project(SOME).handle(conn, {p.table: records for p in SOME}, isolate=False)
        return [dict(line) for line in said]

    return asyncio.run(run())


def test_a_fact_can_be_followed(
    kafka_bootstrap: str, fresh_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = Id(str(uuid4()))
    fact = in_workspace(form("followed", phones=["+380501112233"], amount_minor=5), workspace)
    caplog.set_level(logging.DEBUG)
    lines = logged(kafka_bootstrap, fresh_database_url, workspace, fact)
    (decided,) = [line for line in lines if line["event"] == "decided"]
    assert (decided["fact"], decided["place"]) == (fact.meta.id, "crm.intake.forms/2/77")
    events = {event["event_id"]: event for event in decided["events"]}
    assert [event["type"] for event in decided["events"]] == list(EFFECTS)
    published = {line["event_id"]: line["stream"] for line in lines if line["event"] == "published"}
    assert {id: published[id] for id in events} == {id: event["stream"] for id, event in events.items()}
    projected = [line for line in lines if line["event"] == "projected" and line["fact"] == fact.meta.id]
    assert {line["event_id"]: line["type"] for line in projected} == {id: e["type"] for id, e in events.items()}
    assert {line["type"]: line["by"] for line in projected} == EFFECTS


def test_nothing_is_logged_at_level_info(kafka_bootstrap: str, fresh_database_url: str) -> None:
    workspace = Id(str(uuid4()))
    lines = logged(kafka_bootstrap, fresh_database_url, workspace, in_workspace(form("quiet"), workspace))
    assert [line["event"] for line in lines] == ["relay leads"]
