"""The console for who runs it: the map of roles, quarantine, numbers; on the whole stack, in a real browser."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from crm.adapters.kafka.producer import KafkaLog
from crm.connector import Connection, Delivery, Webhook
from crm.envelope import now
from crm.scalars import Id
from crm.topics import DECIDED, QUARANTINE
from services.connectors import CONNECTORS
from services.intake.records import record_of
from tests.support import rehearse
from tests.support.browser import CHROMIUM
from tests.support.console import ConsolePage, lead
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
PROGRESS = "{ processing { consumers { name lag halted partitions { next } } } }"
STATUS = "query($id: ID!) { quarantinedDelivery(id: $id) { status touchedBy reason } }"
CALLER = "query($phone: String!) { caller(phone: $phone) { contact { name } } }"


def stumbling(_delivery: Any, _connection: Any) -> Any:
    raise KeyError("phone")


def by_an_old_connector(stack: RunningStack, name: str, phone: str) -> str:
    """Puts a form into quarantine as an earlier release did that could not read it. Returns its id."""
    assert stack.demo
    stack.accepts("form", rehearse.form({"Name": "Раніше", "Phone": "099 601 77 19"}))  # the connection is there
    connection = Connection(Id(stack.demo.connections["form"]), Id(stack.demo.workspace), "form", "secret")
    old = replace(CONNECTORS["form"], webhook=Webhook(lambda *_: None, stumbling))
    headers, body = rehearse.form({"Name": name, "Phone": phone})
    (fact,) = old.read(Delivery(headers, body, now()), connection)

    async def send() -> None:
        async with KafkaLog(stack.running().kafka_bootstrap, [QUARANTINE.name]) as log:
            while log.missing():
                await asyncio.sleep(0)
            await log.send(record_of(fact))

    asyncio.run(send())
    stack.settle()
    return str(fact.meta.id)


def test_the_map_shows_every_role_with_its_lag_and_rate(stack: RunningStack, console: ConsolePage) -> None:
    lead(stack, "Мапа Ролей", "099 601 77 15")
    console.open("tasks")
    console.key("o")
    console.wait_for("document.querySelectorAll('.flow li').length == 5")
    said = "[...document.querySelectorAll('.flow li')].map(role => role.innerText)"
    console.wait_for(f"{said}.every(role => /\\d \\/ s/.test(role))")  # the second look has rates
    assert [role.split()[0] for role in console.evaluate(said)] == ["intake", "decide", "relay", "project", "outbound"]
    console.evaluate("document.querySelector('.flow a[href$=decide]').click()")
    console.wait_for("document.querySelector('h1').innerText == 'decide' && document.querySelector('tbody th')")
    topics = set(console.evaluate("[...document.querySelectorAll('tbody th')].map(topic => topic.innerText)"))
    assert topics == {topic.name for topic in DECIDED}
    stack.settle()
    (decide,) = [one for one in stack.ask(PROGRESS)["processing"]["consumers"] if one["name"] == "decide"]
    assert (decide["lag"], decide["halted"]) == (0, False)
    assert sum(one["next"] for one in decide["partitions"]) > 0
    assert console.violations() == []


def test_what_could_not_be_understood_is_seen_compared_and_read_again(
    stack: RunningStack, console: ConsolePage
) -> None:
    id = by_an_old_connector(stack, "Зрозумілий Тепер", "099 601 77 16")
    console.open(f"quarantine/{id}", "document.querySelector('#raw a[download]')")
    assert "Зрозумілий Тепер" in console.evaluate("document.querySelector('#raw pre').innerText")
    assert "KeyError('phone')" in console.evaluate(
        "document.querySelector('.doubt').innerText + document.body.innerText"
    )
    console.wait_for("document.querySelector('#reread caption')?.innerText == 'FormSubmitted'")
    assert "Зрозумілий Тепер" in console.evaluate("document.querySelector('#reread').innerText")
    assert stack.ask(CALLER, phone="0996017716") == {"caller": {"contact": None}}, "to compare changes nothing"
    console.shoot("quarantined")
    assert console.violations() == []
    console.reload_by("document.querySelector('[hx-post$=reparse]').requestSubmit()", f"quarantine/{id}")
    console.wait_for("document.querySelector('main') && !document.querySelector('[hx-post$=reparse]')")
    assert stack.ask(STATUS, id=id)["quarantinedDelivery"]["status"] == "released"
    found = stack.ask_when_settled(CALLER, phone="0996017716")
    assert found == {"caller": {"contact": {"name": "Зрозумілий Тепер"}}}


def test_what_is_not_needed_is_set_aside_with_the_reason(stack: RunningStack, console: ConsolePage) -> None:
    id = by_an_old_connector(stack, "Непотрібний", "099 601 77 17")
    console.open(f"quarantine/{id}", "document.querySelector('#why-not')")
    console.evaluate("document.querySelector('#why-not').value = 'наша проба'")
    console.reload_by("document.querySelector('[hx-post$=discard]').requestSubmit()", f"quarantine/{id}")
    console.wait_for("document.querySelector('main') && !document.querySelector('[hx-post$=discard]')")
    entry = stack.ask(STATUS, id=id)["quarantinedDelivery"]
    assert (entry["status"], entry["reason"]) == ("discarded", "наша проба")
    assert stack.ask_when_settled(CALLER, phone="0996017717") == {"caller": {"contact": None}}
    again = "mutation($id: ID!) { quarantineReparse(quarantineId: $id) { status userErrors { message } } }"
    refused = stack.ask(again, id=id)["quarantineReparse"]
    assert refused == {
        "status": None,
        "userErrors": [{"message": "This delivery is discarded already. Nothing was changed."}],
    }
