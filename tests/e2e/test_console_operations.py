"""The console for who runs it: the map of roles, quarantine, numbers; on the whole stack, in a real browser."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm.adapters.kafka.producer import KafkaLog
from crm.connector import Connection, Delivery, Webhook
from crm.envelope import now
from crm.scalars import Id
from crm.topics import DECIDED, QUARANTINE
from services.connectors import CONNECTORS
from services.intake.records import record_of
from services.stack.process import until
from tests.support import rehearse
from tests.support.browser import CHROMIUM
from tests.support.console import ConsolePage, lead
from tests.support.running_stack import RunningStack
from tests.support.timeouts import TIMEOUT

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
PROGRESS = "{ processing { consumers { name lag halted partitions { next } } } }"
STATUS = "query($id: ID!) { quarantinedDelivery(id: $id) { status touchedBy reason } }"
CALLER = "query($phone: String!) { caller(phone: $phone) { contact { name } } }"


def stumbling(_delivery: Any, _connection: Any) -> Any:
    raise KeyError("phone")


def missing_of(log: KafkaLog) -> Callable[[], Awaitable[str | None]]:
    async def missing() -> str | None:
        return log.missing()

    return missing


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
            await until(missing_of(log), TIMEOUT)
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
    assert console.evaluate("document.querySelector('#raw pre').innerText").endswith("&Phone=099+601+77+16")
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


def test_a_caller_who_is_not_certain_is_shown_as_uncertain(stack: RunningStack, console: ConsolePage) -> None:
    """The first of several contacts with a number was shown as the caller."""
    for name, extension in (("Олена Офісна", "101"), ("Тарас Офісний", "102")):
        stack.accepts("form", rehearse.form({"Name": name, "Phone": f"044 599 88 77 доб. {extension}"}))
        stack.settle()
    console.open("tasks")
    assert stack.deliver("binotel", rehearse.binotel_call("receivedTheCall", 88015, "0445998877")).status_code == 200
    mine = "[...document.querySelectorAll('#ringing article')].find(call => call.innerText.includes('+380445998877'))"
    console.wait_for(mine)
    assert console.evaluate(f"{mine}.dataset.match") == "uncertain"
    assert "599" in console.evaluate(f"{mine}.querySelector('h2').innerText"), "no name is preferred"
    names = console.evaluate(f"[...{mine}.querySelectorAll('h3 a')].map(one => one.innerText)")
    assert sorted(names) == ["Олена Офісна", "Тарас Офісний"]
    console.shoot("ringing_uncertain")
    assert console.violations() == []
    assert stack.deliver("binotel", rehearse.binotel_call("hangupTheCall", 88015, "0445998877")).status_code == 200
    console.wait_for(f"!{mine}")


def test_time_in_stage_is_a_table_and_a_file(stack: RunningStack, console: ConsolePage, address: str) -> None:
    deal, _ = lead(stack, "Час На Етапі", "099 601 77 20")
    move = 'mutation($id: ID!) { dealMoveStage(input: {dealId: $id, stage: "in_progress"}) { userErrors { code } } }'
    assert stack.ask(move, id=deal)["dealMoveStage"]["userErrors"] == []
    stack.settle()
    console.open("numbers", "document.querySelector('#times ~ div meter')")
    assert console.violations() == []
    console.shoot("times")
    cookies = {"cookie": f"potik={stack.token}; potik_language=en"}
    file = stack.http.get(f"{address}/console/numbers/times?csv=1", headers=cookies)
    heads, *lines = file.text.removeprefix("\ufeff").splitlines()
    assert (file.headers["content-type"].partition(";")[0], heads) == (
        "text/csv",
        'Stage,Deals,%,There now,"Median time, seconds","A tenth took longer than, seconds",'
        '"Those there now wait, seconds"',
    )
    found = {one["stage"]: one for one in stack.ask("{ stageTimes { stage deals there stays } }")["stageTimes"]}
    assert found["new"]["stays"] > 0 and all(one["there"] <= one["deals"] for one in found.values())
    assert len(lines) == len(found)
    nobody = stack.ask('{ stageTimes(from: "2001-01-01T00:00:00Z", to: "2001-02-01T00:00:00Z") { stage } }')
    assert nobody == {"stageTimes": []}


def test_other_rules_are_compared_with_what_was(
    stack: RunningStack, console: ConsolePage, address: str, tmp_path: Path
) -> None:
    lead(stack, "Інші Правила", "099 601 77 21")
    rules = tmp_path / "rules.json"
    rules.write_text('{"rules": [{"name": "all", "owners": ["olha"]}]}')
    assert stack.demo
    stack.terminal.run_json(f"whatif run {rules} --workspace {stack.demo.workspace} --since 1h --name console")
    try:
        console.open("whatif", "document.querySelector('.lines a')")
        assert console.violations() == []
        console.open("whatif/console", "document.querySelector('meter')")
        assert "olha" in console.evaluate("document.querySelector('main').innerText")
        assert console.violations() == []
        console.shoot("whatif")
        (trial,) = stack.ask("{ whatIfs { name deals owners { owner deals wouldDeals } } }")["whatIfs"]
        (olha,) = [one for one in trial["owners"] if one["owner"] == "olha"]
        assert (trial["name"], olha["deals"]) == ("console", 0)
        assert 0 < olha["wouldDeals"] <= trial["deals"]  # other tests opened deals with an owner that no rule chooses
        file = stack.http.get(
            f"{address}/console/whatif/console?csv=owners", headers={"cookie": f"potik={stack.token}"}
        )
        assert file.text.splitlines()[1].startswith("olha,0,")
    finally:
        stack.terminal.run("whatif drop console")
