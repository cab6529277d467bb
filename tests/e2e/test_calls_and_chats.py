"""Calls, chats and custom fields on the running stack: the caller is known before the call is answered."""

import itertools
import json
from typing import Any

from tests.support import rehearse
from tests.support.running_stack import RunningStack, wait_until
from tests.support.timeouts import TIMEOUT

CARD = """query($phone: String!) { caller(phone: $phone) { contact { id name phones accounts
  conversations(first: 9) { nodes { messageCount lastText messages(first: 9) { nodes { text editedAt } } } } } } }"""


def heard(message: Any) -> Any:
    body = json.loads(message)
    assert body["type"] == "next", body
    return body["payload"]["data"]


def test_a_ring_is_heard_with_name_open_deals_and_owner(stack: RunningStack) -> None:
    stack.accepts("form", rehearse.form({"name": "Соломія", "phone": "067 100 00 01"}))
    query = 'query { caller(phone: "+380671000001") { openDeals { number owner } } }'
    (deal,) = stack.ask_when_settled(query)["caller"]["openDeals"]
    ring = "subscription { ringing { call { phone phase contact { name } openDeals { number owner } owner } } }"
    with stack.subscribed(ring) as ws:
        stack.accepts("binotel", rehearse.binotel_call("receivedTheCall", 8001, "0671000001"))
        assert heard(ws.recv(TIMEOUT)) == {
            "ringing": {
                "call": {
                    "phone": "+380671000001",
                    "phase": "ringing",
                    "contact": {"name": "Соломія"},
                    "openDeals": [deal],
                    "owner": deal["owner"],
                }
            }
        }
    assert deal["owner"] in ("olena", "taras")


def test_the_exchange_hears_who_is_calling_while_it_rings(stack: RunningStack) -> None:
    stack.accepts("form", rehearse.form({"name": "Соломія", "phone": "067 100 00 01"}))
    (deal,) = stack.ask_when_settled('query { caller(phone: "+380671000001") { openDeals { number title owner } } }')[
        "caller"
    ]["openDeals"]
    owners = {one["key"]: one["email"] for one in stack.ask("{ owners { nodes { key email } } }")["owners"]["nodes"]}
    answers: list[Any] = []

    def late() -> str | None:
        """An exchange is not kept waiting: on a busy machine it may hear nothing, and asks at the next call."""
        answers.append(stack.deliver("binotel", rehearse.binotel_call("apiCallSettings", 8003, "0671000001")).json())
        return None if answers[-1] else "nothing within the time of a ring"

    wait_until(late)
    shown = {"name": "Соломія", "description": f"D-{deal['number']} {deal['title']}"}
    email = owners.get(deal["owner"], "")
    assert answers[-1] == {"customerData": shown | ({"assignedToEmployeeEmail": email} if email else {})}
    assert stack.deliver("binotel", rehearse.binotel_call("apiCallSettings", 8004, "0999999999")).json() == {}


def test_an_unknown_number_makes_a_lead_while_it_rings(stack: RunningStack) -> None:
    stack.accepts("binotel", rehearse.binotel_call("receivedTheCall", 8002, "0671000002"))
    query = 'query { caller(phone: "067 100-00-02") { phone contact { name phones } openDeals { title stage } } }'
    stack.wait_for_answer(
        query,
        {
            "caller": {
                "phone": "+380671000002",
                "contact": {"name": "", "phones": ["+380671000002"]},
                "openDeals": [{"title": "Call from 0671000002", "stage": "new"}],
            }
        },
    )


def test_reports_in_every_order_complete_one_call(stack: RunningStack) -> None:
    details: dict[str, dict[str, Any]] = {
        "receivedTheCall": {"pbxNumber": "0800", "internalNumber": ""},
        "answeredTheCall": {"internalNumber": "901"},
        "hangupTheCall": {"billsec": 42, "waitsec": 7, "disposition": "ANSWER"},
        "apiCallCompleted": {"billsec": 42, "waitsec": 7, "disposition": "ANSWER", "startTime": 1791190860},
    }
    orders = list(itertools.permutations(details))
    for n, kinds in enumerate(orders):
        deliveries = (rehearse.binotel_call(kind, 8100 + n, "0671000003", **details[kind]) for kind in kinds)
        stack.accepts("binotel", *deliveries)
    stack.settle()
    query = """{ caller(phone: "+380671000003") { openDeals { id } contact { calls(first: 100) { nodes {
      call phase disposition waitS talkS employee } } } } }"""
    caller = stack.ask(query)["caller"]
    calls = sorted(caller["contact"]["calls"]["nodes"], key=lambda call: int(call["call"]))
    assert calls == [
        {
            "call": str(8100 + n),
            "phase": "completed",
            "disposition": "answered",
            "waitS": 7,
            "talkS": 42,
            "employee": "901",
        }
        for n in range(len(orders))
    ]
    assert len(caller["openDeals"]) == 1


def test_a_changed_deal_is_heard(stack: RunningStack) -> None:
    stack.accepts("form", rehearse.form({"name": "Яна", "phone": "067 100 00 04"}))
    query = 'query { caller(phone: "+380671000004") { openDeals { id number } } }'
    (deal,) = stack.ask_when_settled(query)["caller"]["openDeals"]
    with stack.subscribed(
        f'subscription {{ dealChanged(id: "{deal["id"]}") {{ deal {{ number stage paid {{ text }} }} }} }}'
    ) as ws:
        statement = rehearse.monobank_statement("heard-1", 100, comment=f"D-{deal['number']}")
        stack.accepts("monobank-personal", statement)
        changed = {"number": deal["number"], "stage": "part_paid", "paid": {"text": "1.00 UAH"}}
        assert heard(ws.recv(TIMEOUT)) == {"dealChanged": {"deal": changed}}


def test_an_edit_and_an_own_phone_join_one_card_and_a_foreign_phone_does_not(stack: RunningStack) -> None:
    secret = stack.secret("telegram")
    stack.accepts("form", rehearse.form({"name": "Зоряна", "phone": "067 100 00 05"}))
    stack.settle()
    foreign = {"phone_number": "380671000006", "first_name": "Кум", "user_id": 6006}
    own = {"phone_number": "380671000005", "first_name": "Зоряна", "user_id": 5005}
    stack.accepts(
        "telegram",
        rehearse.telegram_message(secret, 6001, 5005, "Добрий ден"),
        rehearse.telegram_message(secret, 6002, 5005, "Добрий день", message_id=6001, edit_date=1791190900),
        rehearse.telegram_message(secret, 6003, 5005, contact=foreign),
        rehearse.telegram_message(secret, 6004, 5005, contact=own),
    )
    messages = [
        {"text": "Contact card: Зоряна, +380671000005", "editedAt": None},
        {"text": "Contact card: Кум, +380671000006", "editedAt": None},
        {"text": "Добрий день", "editedAt": "2026-10-05T09:01:40+00:00"},
    ]
    card = stack.ask_when_settled(CARD, phone="+380671000005")["caller"]["contact"]
    (talk,) = card["conversations"]["nodes"]
    assert (card["name"], card["phones"], card["accounts"]) == ("Зоряна", ["+380671000005"], ["telegram:5005"])
    assert (talk["messageCount"], sorted(talk["messages"]["nodes"], key=lambda m: m["text"])) == (3, messages)
    assert stack.ask(CARD, phone="+380671000006") == {"caller": {"contact": None}}


def test_custom_fields_keep_their_types_and_are_found_by_them(stack: RunningStack) -> None:
    report = {
        "kind": "incident",
        "area": 54.5,
        "floors": 9007199254740993,
        "injured": False,
        "damage": ["дах", "вікна"],
        "where": {"lat": "50.45"},
        "note": None,
        "code": "7",
    }
    stack.accepts("form", rehearse.json_form({**report, "phone": "+380671000007"}))
    query = "query($field: [FieldEquals!]) { deals(first: 5, field: $field) { nodes { fields } } }"

    def by(**fields: Any) -> Any:
        return {"field": [{"name": name, "equals": value} for name, value in fields.items()]}

    kept = {name: value for name, value in report.items() if name != "where"} | {"where.lat": "50.45"}
    stack.wait_for_answer(query, {"deals": {"nodes": [{"fields": kept}]}}, **by(kind="incident", injured=False))
    for found in ({"area": 54.5}, {"floors": 9007199254740993}, {"damage": ["вікна"]}, {"code": "7"}):
        assert len(stack.ask(query, **by(kind="incident", **found))["deals"]["nodes"]) == 1, found
    for absent in ({"injured": "false"}, {"code": 7}, {"floors": 9007199254740992}, {"damage": ["підлога"]}):
        assert stack.ask(query, **by(kind="incident", **absent))["deals"]["nodes"] == [], absent
