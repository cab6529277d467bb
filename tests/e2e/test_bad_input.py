"""Hostile input is stored exactly or quarantined with a reason, and the pipeline continues."""

import gzip
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from services.connectors.formats.bodies import URLENCODED
from tests.support import rehearse
from tests.support.rehearse import Post
from tests.support.running_stack import RunningStack

JSON = {"content-type": "application/json"}
FORM = {"content-type": URLENCODED}
BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"""
UNREADABLE: dict[str, tuple[Post, str]] = {
    "cut off": ((JSON, b'{"name":"\xd0\x9e'), "It is not JSON"),
    "empty": ((JSON, b""), "The body is empty."),
    "a list": ((JSON, b"[1,2]"), "A JSON object was expected."),
    "10,001 fields": ((FORM, b"&".join(b"f%d=1" % n for n in range(10_001))), "more than 10000 fields"),
    "nested lists": ((JSON, b"[" * 400_000), "nested deeper than 32"),
    "nested objects": ((JSON, b'{"a":' * 150_000), "nested deeper than 32"),
    "nested names": ((FORM, b"a" + b"[x]" * 5_000 + b"=1"), "nested deeper than 32"),
    "an XML bomb": (({"content-type": "application/xml"}, BOMB), "It is XML or HTML, which no form comes as."),
    "an XML bomb as a form": ((FORM, b"\n" + BOMB), "It is XML or HTML, which no form comes as."),
    "a zip": (({"content-type": "application/zip"}, b"PK\3\4" + b"\0" * 99), "does not come as 'application/zip'"),
    "a number without end": ((JSON, b'{"a":1e999999999999999999999}'), "a number past all measure"),
    "a cut-off upload": (({"content-type": "multipart/form-data; boundary=b"}, b"--b\r\nContent-Disp"), "cut off"),
}
# Was in quarantine with all that came with it; now it costs itself alone.
ODD: dict[str, tuple[str, str, str]] = {  # fields as JSON, the name on the card, what the deal says
    "NUL in a name": (r'"name":"Ол\u0000га"', "Ол\ufffdга", ""),
    "half a character": (r'"name":"Ольга \ud83d"', "Ольга \ufffd", ""),
    "a negative sum": ('"name":"Ольга","payment":{"amount":"-5.00"}', "Ольга", "is less than nothing"),
    "a sum past 64 bits": (f'"name":"Ольга","payment":{{"amount":"{"9" * 30}"}}', "Ольга", "one certain sum"),
    "a sum of two readings": ('"name":"Ольга","payment":{"amount":"1,234"}', "Ольга", "one certain sum"),
}


@pytest.fixture(scope="module", autouse=True)
def goes_on(stack: RunningStack) -> Iterator[None]:
    """Checks that nothing is stopped, no lag is left, and a valid form becomes a deal."""
    yield
    stack.accepts("form", rehearse.form({"name": "Після всього", "phone": "067 200 00 00"}))
    query = 'query { caller(phone: "+380672000000") { openDeals { title } } }'
    stack.wait_for_answer(query, {"caller": {"openDeals": [{"title": "Після всього"}]}})
    stack.settle()
    status = stack.terminal.run_json("status")
    assert [(role["name"], role["lag"]) for role in status["roles"] if role["lag"]] == []


def quarantined(stack: RunningStack, body: bytes) -> Any:
    """Waits for the quarantine entry of these bytes."""
    digest = sha256(body).hexdigest()
    query = "{ quarantine(first: 100) { nodes { connector reason contentType size excerpt sha256 } } }"
    return stack.wait_for_match(
        query, lambda data: next((card for card in data["quarantine"]["nodes"] if card["sha256"] == digest), None)
    )


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_acknowledged_and_kept_with_a_reason(stack: RunningStack, kind: str) -> None:
    post, why = UNREADABLE[kind]
    stack.accepts("form", post)
    card = quarantined(stack, post[1])
    assert why in card["reason"]
    assert (card["connector"], card["size"], card["contentType"]) == ("form", len(post[1]), post[0]["content-type"])
    assert card["excerpt"] == post[1][:2_000].decode("utf-8", "replace")[:500].replace("\0", "\ufffd")


@pytest.mark.parametrize("kind", ODD)
def test_what_is_odd_costs_itself_alone(stack: RunningStack, kind: str) -> None:
    fields, name, doubt = ODD[kind]
    phone = f"+38067200001{[*ODD].index(kind)}"
    stack.accepts("form", (JSON, f'{{"phone":"{phone}",{fields}}}'.encode()))
    query = "query($phone: String!) { caller(phone: $phone) { contact { name } openDeals { doubts owner } } }"
    caller = stack.ask_when_settled(query, phone=phone)["caller"]
    (deal,) = caller["openDeals"]
    assert caller["contact"]["name"] == name and deal["owner"]
    assert doubt in " ".join(deal["doubts"])


def test_ten_thousand_fields_are_a_deal_and_a_notice(stack: RunningStack) -> None:
    body = json.dumps({"phone": "+380672000001"} | {f"f{n}": n for n in range(9_999)}).encode()
    stack.accepts("form", (JSON, body))
    assert "9499 fields above the 500 that were kept" in quarantined(stack, body)["reason"]
    query = 'query { caller(phone: "+380672000001") { openDeals { fields } } }'
    (deal,) = stack.ask_when_settled(query)["caller"]["openDeals"]
    assert deal["fields"] == {f"f{n}": n for n in range(500)}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": URLENCODED + "; charset=utf-8"}, "name=Ольга&phone=%2B380672000002".encode("cp1251")),
        ({"content-type": URLENCODED + "; charset=klingon"}, "name=Ольга&phone=%2B380672000002".encode()),
    ],
)
def test_a_wrong_charset_is_seen_through(stack: RunningStack, headers: dict[str, str], body: bytes) -> None:
    stack.accepts("form", (headers, body))
    query = 'query { caller(phone: "+380672000002") { contact { name } } }'
    stack.wait_for_answer(query, {"caller": {"contact": {"name": "Ольга"}}})


def test_numbers_of_any_size_are_kept_to_the_last_digit(stack: RunningStack) -> None:
    """A form with {"x": 1e-20000} once stopped the deals of everybody forever: jsonb has no such number."""
    digits = "9" * 400
    body = '{"phone":"+380672000003","id":9007199254740993,"long":%s,"price":1.10,"tiny":1e-20000,"huge":1e5000}'
    stack.accepts("form", (JSON, (body % digits).encode()))
    query = 'query { caller(phone: "+380672000003") { openDeals { fields } } }'
    stack.settle()
    answer = stack.http.post(
        stack.graphql_url, json={"query": query}, headers={"authorization": f"Bearer {stack.token}"}
    ).text
    for kept in (
        '"id":9007199254740993', f'"long":{digits}', '"price":1.10', '"tiny":"1E-20000"', '"huge":"1E+5000"',
    ):  # fmt: skip
        assert kept in answer.replace(": ", ":"), kept


def test_an_absurd_sum_is_no_deals_sum(stack: RunningStack) -> None:
    stack.accepts("form", (JSON, b'{"phone":"+380672000004","payment":{"amount":"90000000000000000"}}'))
    query = 'query { caller(phone: "+380672000004") { openDeals { amount { minor } suspicious doubts owner fields } } }'
    (deal,) = stack.ask_when_settled(query)["caller"]["openDeals"]
    assert deal.pop("owner")
    assert deal == {
        "amount": {"minor": 0},
        "suspicious": "",
        "doubts": [
            "The sum cannot be true, so it was left out: 9000000000000000000 in the smallest unit of the currency."
        ],
        "fields": {"payment.amount": "90000000000000000"},
    }


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_the_ends_of_the_calendar_are_exact(stack: RunningStack, year: str) -> None:
    key, _ = rehearse.keys(stack.demo.seed if stack.demo else "")
    moment = f"{year}-12-31T23:59:59Z"
    stack.accepts(
        "monobank", rehearse.monobank_invoice(key, f"year {year}", 100, modifiedDate=moment, destination=year)
    )
    stack.settle()
    changed = [p for p in stack.rows("payments") if p["amount"]["text"] == "1.00 UAH" and p["status"] == "settled"]
    query = "query($id: ID!) { payment(id: $id) { payment changedAt touchedAt purpose } }"
    payments = [stack.ask(query, id=payment["id"])["payment"] for payment in changed]
    at = f"{year}-12-31T23:59:59+00:00"
    assert {"payment": f"year {year}", "changedAt": at, "touchedAt": at, "purpose": year} in payments


def test_who_names_somebody_endlessly_is_quarantined(stack: RunningStack) -> None:
    """An e-mail of 9,000 characters once stopped every projection forever: no index of Postgres holds it."""
    sender = "".join(sha256(bytes([n])).hexdigest() for n in range(140))
    message = {"type": "MessageReported", "channel": "viber", "chat": "1", "chat_kind": "private", "message": "1"}
    body = json.dumps(message | {"sender": sender}).encode()
    assert stack.facts(body).json()["accepted"] == 1
    assert quarantined(stack, body)["reason"].startswith("It names somebody by 'viber' of 8966 characters; 200 are")


def test_too_much_is_refused_while_it_streams_in(stack: RunningStack) -> None:
    def megabytes(count: int) -> Iterator[bytes]:
        yield from (b"x" * 1_000_000 for _ in range(count))

    before = stack.rows("quarantine")
    assert stack.demo
    url = f"{stack.intake_url}/in/{stack.demo.form}"
    answer = stack.http.post(url, content=megabytes(200), headers=JSON)
    assert (answer.status_code, answer.text) == (
        413, "The body is larger than 1000000 bytes. Nothing was kept. Send less at a time.\n",
    )  # fmt: skip
    bomb = gzip.compress(b"\0" * 200_000_000)
    answer = stack.deliver("form", ({**JSON, "content-encoding": "gzip"}, bomb))
    assert (answer.status_code, "after decompression" in answer.text) == (413, True)
    stack.settle()
    assert stack.rows("quarantine") == before


def test_what_is_not_signed_is_not_kept(stack: RunningStack) -> None:
    stack.settle()
    before = stack.all_rows()
    key, _ = rehearse.keys("somebody else")
    forged: dict[str, list[Post]] = {
        "monobank": [rehearse.monobank_invoice(key, "forged", 1), (JSON, b"{}")],
        "liqpay": [rehearse.liqpay_callback("wrong", 1, "1.00"), (FORM, b"data=e30="), (FORM, b"")],
        "telegram": [rehearse.telegram_message("wrong", 1, 1, "привіт"), (JSON, b"{}")],
    }
    for connector, posts in forged.items():
        for post in posts:
            answer = stack.deliver(connector, post)
            assert (answer.status_code, "Nothing was kept" in answer.text) == (401, True), (connector, answer.text)
    assert stack.facts(b"{}", authorization="Bearer crm_live_wrong").status_code == 401
    stack.settle()
    assert stack.all_rows() == before


def test_an_unknown_address_tells_nothing(stack: RunningStack) -> None:
    for path in ("/in/11111111-1111-4111-8111-111111111111", "/in/", "/in/%00", "/in/..%2f..", "/nothing"):
        answer = stack.http.post(stack.intake_url + path, content=b"{}")
        assert (answer.status_code, answer.text) == (404, "not found\n"), path
