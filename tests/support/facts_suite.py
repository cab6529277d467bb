"""What must hold for POST /facts on any log."""

import io
import json
from typing import Any

import fastavro
import pytest

from crm.decisions import RULES
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from crm.shared import Phone
from tests.support.intake_server import EXPIRED, NOON, READER, IntakeServer

FORM = {"type": "FormSubmitted", "name": "Олена", "phones": ["050 123 45 67"], "emails": ["O@x.UA"], "fields": {"n": 1}}
PAYMENT = {
    "type": "PaymentReported",
    "provider": "bank",
    "payment": "p1",
    "status": "settled",
    "amount": "12.50",
    "currency": "UAH",
    "changed_at": "2025-10-02T03:04:05.000006+03:00",
}
PART = PAYMENT | {"type": "PaymentPartReported", "part": "r1", "kind": "refund", "began_at": PAYMENT["changed_at"]}
PARCEL = {"type": "ParcelReported", "service": "post", "tracking_number": "2045", "status": "arrived"}
CALL = {"type": "CallReported", "call": "c1", "phase": "ringing", "direction": "in", "phone": "+380501234567"}
MESSAGE = {
    "type": "MessageReported",
    "channel": "chat",
    "chat": "7",
    "chat_kind": "private",
    "message": "1",
    "sender": "u1",
    "text": "hi",
}
MAIL = {"type": "MailReported", "mail": "a@example.net"}
STATUS = {"type": "MessageStatusReported", "channel": "chat", "chat": "7", "message": "1", "status": "read"}


def lines(*objects: Any) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in objects) + b"\n"


def container(schema: Any, *records: Any, codec: str = "deflate") -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(schema), records, codec=codec)
    return file.getvalue()


CONTAINED = {
    "type": "record",
    "name": "crm.FormSubmitted",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "name", "type": "string"},
        {"name": "fields", "type": {"type": "map", "values": ["string", "long"]}},
    ],
}
WHEN = 1_759_000_000_000_005
CONTAINED_RECORD = {"id": "a", "occurred_at": WHEN, "name": "Олена", "fields": {"n": 1}}


class FactsSuite:
    def test_each_type_is_taken(self, server: IntakeServer) -> None:
        answer = server.stream(json.dumps([FORM, PAYMENT, CALL, MESSAGE]).encode())
        assert answer.status_code == 200
        assert (answer.json()["accepted"], answer.json()["refused"]) == (4, 0)
        by_id = {fact.meta.id: fact for fact in server.facts}
        form, payment, call, message = (by_id[verdict["id"]] for verdict in answer.json()["facts"])
        assert isinstance(form, FormSubmitted)
        assert form.phones == (Phone("050 123 45 67", "+380501234567"),)
        assert form.emails == ("o@x.ua",)
        assert form.fields == {"n": "1"}
        assert json.loads(form.raw.body) == FORM
        assert isinstance(payment, PaymentReported)
        assert (payment.amount_minor, payment.changed_at) == (1250, 1_759_363_445_000_006)
        assert isinstance(call, CallReported)
        assert call.phone.e164 == "+380501234567"
        assert isinstance(message, MessageReported)
        assert message.sender == "u1"
        assert {record.topic for record in server.records()} == {"crm.intake.facts"}

    def test_a_bad_line_does_not_stop_the_others(self, server: IntakeServer) -> None:
        body = lines(CALL, {**CALL, "colour": 1}, {"type": "Nothing"}, {**PAYMENT, "amount": "1,234"}) + b"{bad\n\xff"
        answer = server.stream(body, "application/x-ndjson; charset=utf-8")
        assert answer.headers["content-type"] == "application/x-ndjson"
        verdicts = [json.loads(line) for line in answer.text.splitlines()]
        assert [verdict["status"] for verdict in verdicts] == ["accepted"] + ["refused"] * 5
        assert verdicts[1]["error"] == "Line 2: Object contains unknown field `colour`."
        assert verdicts[2]["error"] == (
            "Line 3: Invalid value 'Nothing' in `type`. "
            f"Allowed: {', '.join(sorted(rule.fact.__name__ for rule in RULES.values() if rule.sender))}."
        )
        assert verdicts[3]["error"].startswith("Line 4: In `amount`: '1,234' ")
        assert len(server.facts) == 1

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"meta": {}}, "Object contains unknown field `meta`."),
            ({"amount_minor": 1}, "Give `amount_minor` or `amount`, not both."),
            ({"amount": None}, "Object missing required field `amount_minor` (or `amount`, as exact text)."),
            (
                {"amount": 12.5},
                "Expected `str | null`, got `float` in `amount`. "
                'Send it as text, such as "12.50": a JSON number may be rounded.',
            ),
            ({"status": "paid"}, "Invalid enum value 'paid' in `status`."),
            ({"currency": "XYZ"}, "In `currency`: 'XYZ' is not a known currency. Use an ISO 4217 code such as UAH"),
            (
                {"changed_at": 1_759_363_445},
                "In `changed_at`: 1970-01-01T00:29:19.363445Z is before 1990, which must be a mistake",
            ),
            (
                {"changed_at": "2025-12-01T00:00:00Z"},
                "In `changed_at`: 2025-12-01T00:00:00Z is more than 31 days ahead",
            ),
            (
                {"occurred_at": "2025-10-11T00:00:00Z"},
                "In `occurred_at`: 2025-10-11T00:00:00Z is more than a day ahead",
            ),
            (
                {"changed_at": "2026-01-02T03:04:05"},
                "Expected `datetime` with a timezone component in `changed_at`. "
                "Write a time with its zone, such as 2026-11-25T12:00:00+02:00.",
            ),
            ({"changed_at": 10**18}, "Expected `int` <= 253402300799999999 in `changed_at`."),
            ({"refunded_minor": 2**63}, "PaymentReported cannot be written: "),
            ({"provider": "\ud800"}, "JSON is malformed: "),
        ],
    )
    def test_a_refused_line_hears_what_is_wrong(self, server: IntakeServer, change: dict[str, Any], error: str) -> None:
        (verdict,) = server.stream(json.dumps({**PAYMENT, **change}).encode()).json()["facts"]
        assert verdict["status"] == "refused"
        assert verdict["error"].startswith(f"Line 1: {error}")
        assert server.records() == []

    def test_a_field_of_any_type_is_kept_to_the_digit(self, server: IntakeServer) -> None:
        body = b'{"type":"FormSubmitted","fields":{"id":12345678901234567890123,"sum":1.10,"deep":{"a":[null]}}}'
        assert server.stream(body).json()["accepted"] == 1
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)
        assert fact.fields == {"id": "12345678901234567890123", "sum": "1.10", "deep": '{"a":[null]}'}
        assert fact.raw.body == body

    def test_the_same_id_is_the_same_fact(self, server: IntakeServer) -> None:
        answers = [server.stream(lines({**CALL, "id": "mine"})).json() for _ in range(2)]
        ids = [one["facts"][0]["id"] for one in answers]
        assert ids[0] == ids[1]
        assert [one["facts"][0]["status"] for one in answers] == ["accepted", "repeated"]
        assert [(one["accepted"], one["refused"], one.get("repeated")) for one in answers] == [(1, 0, None), (1, 0, 1)]
        assert [fact.meta.id for fact in server.facts] == ids

    def test_a_repeated_idempotency_key_gives_the_same_ids(self, server: IntakeServer) -> None:
        body = lines(CALL, FORM)
        first = server.stream(body, "application/x-ndjson", idempotency_key='"k1"').text
        again = server.stream(body, "application/x-ndjson", idempotency_key="k1").text
        assert again == first.replace("accepted", "repeated")
        other = server.stream(lines(CALL, CALL), "application/x-ndjson", idempotency_key="k1")
        assert other.status_code == 422
        assert server.stream(body, "application/x-ndjson").text != first
        assert len(server.facts) == 6

    def test_who_has_no_key_that_may_write_is_refused_unread(self, server: IntakeServer) -> None:
        lacking = 'Bearer error="insufficient_scope", scope="write"'
        for token, status, challenge in (
            ("", 401, "Bearer"),
            ("wrong", 401, "Bearer"),
            (EXPIRED, 401, "Bearer"),
            (READER, 403, lacking),
        ):
            answer = server.stream(lines(CALL), token=token)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (status, challenge)
            assert "Nothing was kept" in answer.json()["error"]
        assert server.records() == []

    def test_fifty_thousand_facts_are_taken_at_once_and_no_more(self, server: IntakeServer) -> None:
        """Ten thousand were the most: the statuses of 50,000 sellers did not fit into one request."""
        least = b'{"type":"FormSubmitted"}\n'
        assert server.stream(least * 50_000, "application/x-ndjson").text.count("accepted") == 50_000
        assert len(server.records()) == 50_000
        assert server.stream(least * 50_001, "application/x-ndjson").status_code == 413
        assert len(server.records()) == 50_000

    @pytest.mark.parametrize("codec", ["null", "deflate"])
    def test_an_avro_container_is_taken(self, server: IntakeServer, codec: str) -> None:
        file = container(CONTAINED, CONTAINED_RECORD, {**CONTAINED_RECORD, "id": "b"}, codec=codec)
        assert server.stream(file, "application/avro").json()["accepted"] == 2
        fact = server.facts[0]
        assert isinstance(fact, FormSubmitted)
        assert (fact.name, fact.fields, fact.meta.occurred_at) == ("Олена", {"n": "1"}, WHEN)
        assert json.loads(fact.raw.body) == {"type": "FormSubmitted", **CONTAINED_RECORD}

    def test_a_container_of_several_types_is_taken(self, server: IntakeServer) -> None:
        text = [{"name": name, "type": "string"} for name in ("call", "phase", "direction", "phone")]
        call = {"type": "record", "name": "CallReported", "fields": text}
        bare = {name: value for name, value in CALL.items() if name != "type"}
        file = container([CONTAINED, call], ("CallReported", bare), ("crm.FormSubmitted", CONTAINED_RECORD))
        assert server.stream(file, "application/avro").json()["accepted"] == 2
        assert {type(fact) for fact in server.facts} == {CallReported, FormSubmitted}

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"", "application/json", 400),
            (b"[1,", "application/json", 400),
            (b"[" * 100_000, "application/json", 400),
            (b"a=1", "application/x-www-form-urlencoded", 415),
            (b"Obj\x01", "application/avro", 400),
            (b"x" * 2_000_001, "application/json", 413),
        ],
    )
    def test_a_body_that_cannot_be_read_is_refused_whole(
        self, server: IntakeServer, body: bytes, kind: str, status: int
    ) -> None:
        answer = server.stream(body, kind)
        assert answer.status_code == status
        assert "Nothing was kept" in answer.text
        assert server.records() == []

    def test_deep_nesting_is_a_refused_line(self, server: IntakeServer) -> None:
        body = b'{"type":"FormSubmitted","fields":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
        (verdict,) = server.stream(body).json()["facts"]
        assert verdict["error"].startswith("Line 1: maximum recursion depth exceeded")

    def test_nothing_that_says_when_is_taken_as_now(self, server: IntakeServer) -> None:
        server.stream(lines(CALL))
        assert (server.facts[0].meta.occurred_at, server.facts[0].meta.recorded_at) == (NOON, NOON)
