"""What the vendors published: signatures, captured requests, and the scenarios of Asterisk's CDR specification."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.connector import Answer, Connection, Delivery
from crm.errors import Refused
from crm.facts import CallReported
from projections.call import call as call_row
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED
from services.connectors.rehearsal import rehearsals
from services.connectors.vonage.token import encoded, sign
from tests.support.connector_deliveries import JSON, NOW, connection, http_post, in_shop, only, sent
from tests.support.needs import needs_samples
from tests.support.projection_events import fold
from tests.support.scenarios import given
from tests.support.vendor_samples import FOLDER


def published(name: str) -> Any:
    return json.loads((FOLDER / name).read_text()) if FOLDER.is_dir() else []


def verify(who: Connection, delivery: Delivery) -> None:
    webhook = CONNECTORS[who.connector].webhook
    assert webhook
    webhook.verify(delivery, who)


@needs_samples
def test_twilios_published_signatures() -> None:
    found = published("twilio/signature.vectors.json")
    who = connection("twilio", found["auth_token"])
    for case in found["cases"]:
        parts = urlsplit(case["url"])
        fields = [tuple(pair) for pair in case.get("params_list") or case.get("params", {}).items()]
        delivery = Delivery(
            {"content-type": URLENCODED, "x-twilio-signature": case["signature"]},
            case["body"].encode() if "body" in case else urlencode(fields).encode(),
            NOW,
            parts.query,
            base=f"{parts.scheme}://{parts.netloc}",
            path=parts.path,
        )
        verify(who, delivery)
        for changed in (
            replace(delivery, body=delivery.body + b"1"),
            replace(delivery, path="/myapp.php2"),
            replace(delivery, headers=dict(delivery.headers) | {"x-twilio-signature": case["signature"][::-1]}),
        ):
            with pytest.raises(Refused):
                verify(who, changed)


@needs_samples
def test_zadarmas_published_signatures_and_requests() -> None:
    for case in published("zadarma/signature.vectors.json"):
        who = connection("zadarma", case["secret"])
        headers = {"content-type": URLENCODED, "signature": case["signature"]}
        delivery = replace(sent(case["body"].encode(), URLENCODED), headers=headers)
        verify(who, delivery)
        signed = b"0000000000" if b"NOTIFY_RECORD" in delivery.body else b"call_start=2026"
        with pytest.raises(Refused):
            verify(who, replace(delivery, body=delivery.body.replace(signed, signed[:-1] + b"9")))
    who = connection("zadarma", "TEST_zadarma_secret")
    for name, phase, talked in (("START", "ringing", None), ("INTERNAL", "ringing", None), ("END", "completed", 67)):
        fact = only(who, http_post(FOLDER / f"zadarma/NOTIFY_{name}.http.txt"))
        assert (fact.phase, fact.direction, fact.phone.e164, fact.line) == (
            phase,
            "in",
            "+380670000083",
            "380440000093",
        )
        assert (fact.talk_s, fact.started_at) == (talked, 1_791_180_840_000_000)


@needs_samples
def test_vonages_published_token_and_events() -> None:
    found = published("vonage/jwt.vector.json")
    who = connection("vonage", found["secret"])
    bearer = replace(sent(b"{}", JSON), headers={"authorization": f"Bearer {found['token']}"})
    with pytest.raises(Refused, match="signed more than 300 s ago"):  # so its signature is right, and its time is not
        verify(who, bearer)
    with pytest.raises(Refused, match="signature does not match"):
        verify(connection("vonage", found["wrong_secret"]), bearer)
    answer = vonage("voice_answer.json")
    assert (answer.phase, answer.direction, answer.phone.e164, answer.line) == (
        "ringing",
        "in",
        "+442079460000",
        "+447700900000",
    )
    record = vonage("voice_event_record.json")
    assert (record.phase, record.call, record.leg) == ("recorded", "CON-aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "")
    assert record.recording == "https://api.nexmo.com/v1/files/bbbbbbbb-aaaa-cccc-dddd-0123456789ab"


def vonage(name: str) -> CallReported:
    fact: CallReported = received("vonage", (FOLDER / "vonage" / name).read_bytes(), JSON)[0]
    return fact


def received(vendor: str, body: bytes, content_type: str, query: str = "", **settings: str) -> list[Any]:
    rehearsal = rehearsals()[vendor]
    delivery = rehearsal.sign(replace(sent(body, content_type), query=query), "published")
    return list(CONNECTORS[vendor].receive(delivery, in_shop(vendor, rehearsal.secret_of("published"), **settings)))


@pytest.mark.parametrize("token_type", [b'{"alg":"none"}', b'{"alg":"RS256","typ":"JWT"}', b"[]", b"x"])
def test_a_token_of_another_kind_is_refused(token_type: bytes) -> None:
    claims = encoded(b'{"iat":1791190920}')
    signed = f"{encoded(token_type)}.{claims}"
    headers = {"authorization": f"Bearer {signed}.{sign('TEST_secret', signed)}"}
    with pytest.raises(Refused, match="Nothing was kept"):
        verify(connection("vonage"), replace(sent(b"{}", JSON), headers=headers))


@needs_samples
def test_ringostats_default_names() -> None:
    body = http_post(FOLDER / "ringostat/after_call_default_names.http.txt")[1]
    (fact,) = received("ringostat", body, URLENCODED)
    assert (fact.call, fact.phase, fact.direction) == ("ua-1759655640.123", "completed", "in")
    assert (fact.phone.e164, fact.line, fact.employee) == ("+380670000083", "380440000093", "Оператор1")
    assert (fact.wait_s, fact.talk_s, fact.disposition) == (8, 67, "answered")
    assert (fact.started_at, fact.meta.occurred_at) == (1_791_180_840_000_000, 1_791_180_915_000_000)
    assert fact.utm == {"source": "google", "medium": "cpc", "campaign": "brand"}


@needs_samples
def test_freeswitchs_event_of_a_hang_up() -> None:
    (fact,) = received("freeswitch", (FOLDER / "freeswitch/esl_channel_hangup_complete.txt").read_bytes(), "text/plain")
    assert (fact.call, fact.phase, fact.direction) == ("aaaaaaaa-0000-4000-8000-000000000001", "completed", "in")
    assert (fact.phone.e164, fact.line, fact.talk_s, fact.disposition) == (
        "+380670000083",
        "380440000093",
        67,
        "answered",
    )


SCENARIOS: list[dict[str, Any]] = published("asterisk-cdr/cdr_spec_scenarios.json")
EXPECTED = {"SIP Protocol Attended Transfer": 2, "A Complex Example": 2}  # what the specification says cannot be joined


def test_there_are_twenty_scenarios() -> None:
    assert len(SCENARIOS) in (0, 20)


@needs_samples
@settings(deadline=None, max_examples=5)
@for_any(random=st.randoms(use_true_random=False))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario["scenario"]))
def test_the_records_of_a_scenario_are_so_many_calls_in_any_order(scenario: dict[str, Any], random: Any) -> None:
    records = scenario["records"]
    facts = list(chain.from_iterable(received("asterisk", json.dumps(one).encode(), JSON) for one in records))
    found = calls(facts)
    assert len(found) == EXPECTED.get(scenario["scenario"], 1)
    assert calls(random.sample(facts, len(facts))) == found
    assert given(*facts).contacts() == []  # all of them are colleagues


def calls(facts: list[CallReported]) -> dict[str, Any]:
    rows: Iterator[Any] = iter(fold(call_row, given(*facts).decide.journal).values())
    return {row.call: replace(row, contact_id="", created_at=0) for row in rows}


def scenario(name: str) -> list[Any]:
    records = next(one["records"] for one in SCENARIOS if one["scenario"] == name)
    return [*calls(received("asterisk", json.dumps(records).encode(), JSON)).values()]


@needs_samples
@pytest.mark.parametrize(
    ("name", "employee", "waited", "talked", "disposition"),
    [
        ('Unanswered "Inbound" Call', "500", 2, 0, "no_answer"),
        ("Single Party", "8500", 2, 0, "no_answer"),
        ("Basic Call", "bob", 8, 112, "answered"),
        ("Parallel Dial", "bob", 10, 60, "answered"),
        ("Blind Transfer", "charlie", 10, 80, "answered"),
        ("Core Attended Transfer to Channel", "charlie", 10, 85, "answered"),
        ("Call Queue - Example 1", "charlie", 60, 120, "answered"),
        ("Conference Call", "charlie", 10, 230, "answered"),
    ],
)
def test_the_times_of_a_scenario(name: str, employee: str, waited: int, talked: int, disposition: str) -> None:
    """Overlapping talks count once; a pause between two is none."""
    (row,) = scenario(name)
    assert (row.employee, row.wait_s, row.talk_s, row.disposition) == (employee, waited, talked, disposition)


def test_answers_that_vendors_wait_for() -> None:
    twilio, zadarma = CONNECTORS["twilio"].webhook, CONNECTORS["zadarma"].webhook
    assert twilio and zadarma and zadarma.handshake
    assert twilio.answer(sent(b"", URLENCODED), connection("twilio"), []).body.endswith(b"<Response/>")
    challenge = Delivery({}, b"", NOW, "zd_echo=a%20b", method="GET")
    assert zadarma.handshake(challenge, connection("zadarma")) == Answer(200, b"a b")
    assert zadarma.handshake(replace(challenge, query=""), connection("zadarma")) is None
