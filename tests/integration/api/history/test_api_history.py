"""History in GraphQL: rows as of a time on either clock, and `why` down to the raw delivery."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

import api.history.asof
import api.history.past_rows
from crm.contract.codec import encode
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event
from crm.events import ContactCreated, ContactRenamed
from crm.scalars import Id, Micros
from crm.shared import Raw
from projections import PROJECTIONS
from tests.integration.crm.adapters.postgres.test_history import projected
from tests.support.graphql_server import ApiServer, api_server
from tests.support.records import in_workspace, journal, open_connection, rules_of
from tests.support.scenarios import form, paid
from tests.support.shop_rows import SHOP, delete_rows

JANUARY = 1_767_225_600_000_000
DAY = 86_400_000_000
RAW = Raw("application/x-www-form-urlencoded", {"cookie": "secret"}, "", b"tel=050&sum=100")


def example_events(place: dict[str, Any]) -> list[Event]:
    """A deal of January 2nd; a payment of the 20th that the bank reported on the 27th."""
    decide = MemoryDecide()
    decide.append(*rules_of(Id(SHOP)))
    lead = replace(form("desk", phones=["+380501112233"], amount_minor=10_000, reference="R-1"), raw=RAW)
    money = paid("p", 4_000, reference="R-1")
    for fact, happened, known in ((lead, 2, 2), (money, 20, 27)):
        fact = replace(fact, meta=replace(fact.meta, occurred_at=Micros(JANUARY + (happened - 1) * DAY)))
        decide.take(in_workspace(fact, Id(SHOP)), Micros(JANUARY + (known - 1) * DAY))
    (card,) = (event for event in decide.journal if isinstance(event, ContactCreated))
    at = Micros(JANUARY + 26 * DAY)
    named = replace(card.meta, id=Id(str(uuid4())), occurred_at=at, recorded_at=at)
    decide.append(ContactRenamed(named, card.contact_id, "Olena", "by hand"))
    return [replace(event, meta=replace(event.meta, **place)) for event in decide.journal]


@pytest.fixture(scope="module")
def api_(database_url: str, kafka_bootstrap: str) -> Iterator[ApiServer]:
    async def fill() -> None:
        lead = in_workspace(replace(form("desk", phones=["+380501112233"]), raw=RAW), Id(SHOP))
        async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
            sent = await producer.send_and_wait("crm.intake.forms", encode(lead), partition=0)
        place = {"cause_topic": sent.topic, "cause_partition": sent.partition, "cause_offset": sent.offset}
        async with await open_connection(database_url) as conn:
            await projected(conn, journal(example_events(place)))

    with api_server(database_url) as api:
        with psycopg.connect(database_url) as connection:
            delete_rows(connection)  # they follow from no event
        api.changes.journal.bootstrap = kafka_bootstrap
        asyncio.run(fill())
        yield api


DEAL = """query ($at: AsOf) { deal(number: 1, asOf: $at) {
  id number stage paid { minor } owner openedAt fields files { name } } }"""


def as_of(day: int, clock: str) -> dict[str, str]:
    return {"at": f"2026-01-{day:02}T00:00:00+00:00", "clock": clock}


def test_a_back_dated_payment_was_true_before_it_was_known(api_: ApiServer) -> None:
    now = api_.data(DEAL)["deal"]
    assert (now["stage"], now["paid"]) == ("part_paid", {"minor": 4_000})
    assert api_.data(DEAL, at=as_of(25, "OCCURRED"))["deal"] == now
    before = now | {"stage": "new", "paid": {"minor": 0}}
    assert api_.data(DEAL, at=as_of(25, "RECORDED"))["deal"] == before
    assert api_.data(DEAL, at=as_of(1, "OCCURRED")) == {"deal": None}
    assert api_.data(DEAL, at=None)["deal"] == now
    by_id = "query ($id: ID!, $at: AsOf) { deal(id: $id, asOf: $at) { paid { minor } } }"
    for at, minor in ((as_of(25, "OCCURRED"), 4_000), (as_of(25, "RECORDED"), 0), (None, 4_000)):
        assert api_.data(by_id, id=now["id"], at=at) == {"deal": {"paid": {"minor": minor}}}, "one document, all plans"


def test_a_contact_as_of_a_moment(api_: ApiServer) -> None:
    deal = api_.data("{ deal(number: 1) { contact { id } } }")["deal"]
    query = "query ($id: ID!, $at: AsOf) { contact(id: $id, asOf: $at) { phones createdAt } }"
    found = api_.data(query, id=deal["contact"]["id"], at=as_of(3, "RECORDED"))
    assert found == {"contact": {"phones": ["+380501112233"], "createdAt": "2026-01-02T00:00:00+00:00"}}
    assert api_.data(query, id=deal["contact"]["id"], at=as_of(1, "RECORDED")) == {"contact": None}


def test_relations_of_a_past_row_are_as_of_the_same_time(api_: ApiServer) -> None:
    """The bug: a deal as of Monday had the contact of today. The contact got its name on the 27th."""
    query = "query ($at: AsOf) { deal(number: 1, asOf: $at) { number contact { name phones } } }"
    phones = ["+380501112233"]
    named = {"deal": {"number": 1, "contact": {"name": "Olena", "phones": phones}}}
    assert api_.data(query) == api_.data(query, at=as_of(27, "RECORDED")) == named
    unnamed = {"deal": {"number": 1, "contact": {"name": "", "phones": phones}}}
    assert api_.data(query, at=as_of(25, "RECORDED")) == unnamed
    lists = "query ($at: AsOf!) { dealsAsOf(asOf: $at) { contact { id name } } }"
    ((found,),) = api_.data(lists, at=as_of(25, "RECORDED")).values()
    assert found["contact"]["name"] == ""
    of_contact = "query ($at: AsOf!, $id: ID!) { dealsAsOf(asOf: $at, contact: $id) { number } }"
    for id, deals in ((found["contact"]["id"], [{"number": 1}]), (SHOP, [])):
        assert api_.data(of_contact, at=as_of(25, "RECORDED"), id=id) == {"dealsAsOf": deals}


@pytest.mark.parametrize("below", ["contact { deals { nodes { id } } }", "notes { nodes { id } }", "contact { owner }"])
def test_nested_lists_below_a_past_row_are_refused(api_: ApiServer, below: str) -> None:
    query = f"query ($at: AsOf) {{ deal(number: 1, asOf: $at) {{ {below} }} }}"
    assert api_.data(query)
    code, said = api_.error(query, at=as_of(25, "RECORDED"))
    assert code == "BAD_INPUT"
    assert "is not supported with `asOf`, as it would show current rows" in said


def test_lists_and_the_funnel_as_of_a_moment(api_: ApiServer) -> None:
    query = """query ($at: AsOf!) { funnel(asOf: $at) { stage deals amounts { text } }
      dealsAsOf(asOf: $at, stage: "new") { number } contactsAsOf(asOf: $at, first: 5) { phones } }"""
    total = {"deals": 1, "amounts": [{"text": "100.00 UAH"}]}
    found = api_.data(query, at=as_of(25, "RECORDED"))
    assert found["funnel"] == [{"stage": "new", **total}]
    assert found["dealsAsOf"] == [{"number": 1}]
    assert found["contactsAsOf"] == [{"phones": ["+380501112233"]}]
    found = api_.data(query, at=as_of(25, "OCCURRED"))
    assert (found["funnel"], found["dealsAsOf"]) == ([{"stage": "part_paid", **total}], [])
    assert api_.data(
        "query ($at: AsOf!) { funnel(asOf: $at) { stage } }", "crm_live_other", at=as_of(25, "OCCURRED")
    ) == {"funnel": []}


def test_single_rows_of_an_operation_may_have_a_limited_number_of_events(
    api_: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.history.asof, "LIMIT", 5)
    query = "query ($at: AsOf!) { a: deal(number: 1, asOf: $at) { stage } b: deal(number: 1, asOf: $at) { stage } }"
    error, *_ = api_.answer(query, at=as_of(25, "OCCURRED"))["errors"]
    assert error["extensions"]["code"] == "TOO_MUCH"
    assert "Its history has more than" in error["message"]


def test_a_fold_of_a_whole_workspace_has_a_limit_of_time(api_: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug: it was refused beyond 50,000 events, however fast they were folded."""
    monkeypatch.setattr(api.history.past_rows, "PATIENCE", -1)
    query = "query ($at: AsOf!) { funnel(asOf: $at) { stage } }"
    code, said = api_.error(query, at=as_of(25, "RECORDED"))
    assert code == "TOO_SLOW"
    assert said == (
        "After -1 s, 0 events were folded and more are left. Nothing was answered. `clock: OCCURRED` folds only what "
        "changed since. `crm replay --until` makes a table of any length of history."
    )
    monkeypatch.setattr(api.history.asof, "LIMIT", 0)
    assert api_.data(query, at=as_of(31, "OCCURRED")), "what did not change since is not folded"


def test_why_leads_to_the_raw_delivery(api_: ApiServer) -> None:
    id = api_.data("{ deal(number: 1) { id } }")["deal"]["id"]
    query = """query ($id: ID!, $type: String!, $field: String!, $all: Boolean!) {
      why(type: $type, id: $id, field: $field, all: $all) { field before value event occurredAt actor reasons
        delivery { topic type contentType body lost } } }"""
    (link,) = api_.data(query, type="Deal", id=id, field="owner", all=False)["why"]
    delivery = link.pop("delivery")
    assert (link["before"], link["value"], link["event"], link["actor"]) == ("", "anna", "DealAssigned", "rule Form")
    assert link["reasons"]["rule"] == "Form"
    assert link["occurredAt"] == "2026-01-02T00:00:00Z"
    assert delivery == {
        "topic": "crm.intake.forms",
        "type": "FormSubmitted",
        "contentType": "application/x-www-form-urlencoded",
        "body": "tel=050&sum=100",
        "lost": "",
    }
    moves = api_.data(query, type="deal", id=id, field="stage", all=True)["why"]
    assert [(move["before"], move["value"]) for move in moves] == [("new", "part_paid"), (None, "new")]
    (opened,) = api_.data(query, type="Deal", id=id, field="openedAt", all=False)["why"]
    assert opened["value"] == "2026-01-02T00:00:00+00:00"
    arguments = {"id": id, "all": False}
    assert api_.error(query, type="Deal", field="stag", **arguments)[0] == "BAD_INPUT"
    assert "Types are" in api_.error(query, type="Dea", field="stage", **arguments)[1]
    assert api_.data(query, "crm_live_other", type="Deal", field="stage", **arguments) == {"why": []}


def test_why_works_for_every_field_of_every_type(api_: ApiServer) -> None:
    id = api_.data("{ deal(number: 1) { id } }")["deal"]["id"]
    for column in PROJECTIONS["deal"].columns:
        query = 'query ($id: ID!, $f: String!) { why(type: "Deal", id: $id, field: $f) { event value } }'
        assert api_.data(query, id=id, f=column.name)["why"]
