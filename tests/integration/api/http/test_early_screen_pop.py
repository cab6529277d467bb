"""`GET /screen-pop` shows a call that begins to ring before the journal has it, and not once more when it has."""

import asyncio
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import AsyncConnection

from api.live.journal import Journal
from crm.adapters.postgres import outbox
from crm.envelope import Event
from projections import PROJECTIONS
from tests.support.graphql_server import ApiServer, api_server
from tests.support.journal_topic import JournalTopic
from tests.support.screen import UNCLOSED, Ringing, brief, screen, until_closed
from tests.support.shop_rows import OLENA_PHONE, OTHER, SHOP, delete_of, id_of

pytestmark = UNCLOSED


@pytest.fixture(scope="module")
def served_api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            delete_of(connection, PROJECTIONS["call"].qualified_name, SHOP)
            connection.execute("INSERT INTO core.compared VALUES (core.this_server()) ON CONFLICT DO NOTHING")
        yield api
        until_closed(api)


@pytest.fixture
def topic(kafka_bootstrap: str) -> JournalTopic:
    return JournalTopic(kafka_bootstrap)


@pytest.fixture
def api(served_api: ApiServer, topic: JournalTopic) -> ApiServer:
    with psycopg.connect(served_api.dsn, autocommit=True) as connection:
        connection.execute("DELETE FROM core.outbox")
        connection.execute("UPDATE core.journal_head SET next = 0")
    served_api.changes.hub.journal = Journal(topic.bootstrap, topic.name)
    return served_api


def olena() -> Ringing:
    return Ringing(SHOP, id_of("Olena"), OLENA_PHONE)


def decide(api: ApiServer, events: Sequence[Event], commits: bool = True) -> None:
    """Commits events as the decide role does; the relay carries them later, by the topic."""

    async def append() -> None:
        async with await AsyncConnection.connect(api.dsn) as conn:
            await outbox.append(conn, [outbox.packed(event) for event in events], [SHOP])
            await (conn.commit() if commits else conn.rollback())

    asyncio.run(append())


def test_a_call_rings_before_the_journal_has_it_and_not_again(api: ApiServer, topic: JournalTopic) -> None:
    ringing, later = olena(), olena()
    first = ringing.rings("101")
    with screen(api, "101") as shown:
        decide(api, first)
        assert brief(shown.next()) == ("ring", "certain", ["Olena"], "101")
        topic.publish([*first, ringing.report("answered", "101"), *later.rings("101")])
        assert brief(shown.next()) == ("end", "answered")
        assert shown.next()[1]["call_id"] == later.id


def test_a_client_that_comes_back_before_the_journal_has_it_is_not_shown_it_again(
    api: ApiServer, topic: JournalTopic
) -> None:
    """Its cursor names the call as shown, and positions before its reports."""
    ringing = olena()
    first = ringing.rings("101")
    with screen(api, "101") as shown:
        decide(api, first)
        assert brief(shown.next())[0] == "ring"
        last = shown.last
    with screen(api, "101", last=last) as shown:
        topic.publish([*first, ringing.report("completed")])
        assert brief(shown.next()) == ("end", "ended")


def test_what_was_rolled_back_is_never_shown(api: ApiServer, topic: JournalTopic) -> None:
    never, real = olena(), olena()
    with screen(api, "101") as shown:
        decide(api, never.rings("101"), commits=False)
        decide(api, real.rings("101"))
        assert shown.next()[1]["call_id"] == real.id


def test_a_notification_that_comes_too_late_changes_nothing(api: ApiServer, topic: JournalTopic) -> None:
    """The relay has carried the transaction, and its row is gone, before the API reads it: the journal brings it."""
    carried, real = olena(), olena()
    with screen(api, "101") as shown:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_notify('rings', %s)", [f"4711 {SHOP}"])
        topic.publish([*carried.rings("101")])
        assert shown.next()[1]["call_id"] == carried.id
        first = real.rings("101")
        decide(api, first)  # at the positions that the journal has brought already: it is not shown early
        topic.publish(first)
        assert shown.next()[1]["call_id"] == real.id


def test_screens_of_others_are_shown_nothing(api: ApiServer, topic: JournalTopic) -> None:
    ours, theirs = olena(), Ringing(OTHER, id_of("Olena"), OLENA_PHONE)
    with screen(api, "102") as colleague, screen(api, token="crm_live_other") as other:
        decide(api, ours.rings("101"))
        topic.publish([*theirs.rings("101"), *olena().rings("102")])
        assert other.next()[1]["call_id"] == theirs.id
        assert colleague.next()[1]["employee"]["said"] == "102"
