"""How POST /facts reads lines and answers for each, on any log."""

import gzip
import json
from collections import Counter
from typing import Any

import pytest

from crm.contract.codec import encode
from crm.facts import CallReported, FormSubmitted, PaymentReported, WorkspaceDeclared
from crm.shared import Payer, Phone
from tests.support.facts_suite import CALL, FORM, MESSAGE, PAYMENT, container, lines
from tests.support.intake_server import ADMIN, WORKSPACE, IntakeServer, meta

NDJSON = "application/x-ndjson"


def verdicts(server: IntakeServer, body: bytes, kind: str = NDJSON, **headers: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.stream(body, kind, **headers).text.splitlines()]


class FactLinesSuite:
    def test_other_content_under_the_same_id_is_a_conflict_and_is_not_taken(self, server: IntakeServer) -> None:
        """The second version was answered `accepted`, and silently dropped when it was decided."""
        first, same, other = (
            {**CALL, "id": "mine"},
            {"id": "mine", "line": None, **CALL},
            {**CALL, "id": "mine", "phase": "completed"},
        )
        answers = verdicts(server, lines(first, same, other, CALL))
        assert [one["status"] for one in answers] == ["accepted", "repeated", "conflict", "accepted"]
        id = answers[0]["id"]
        message = (
            f"This id was used before with other content, which is kept as fact {id}. "
            "This line was not accepted. Use a new id for a new fact."
        )
        assert answers[2] == {
            "status": "conflict",
            "error": f"Line 3: {message}",
            "line": 3,
            "your_id": "mine",
            "code": "CONFLICT",
            "field": "id",
            "message": message,
        }
        whole = server.stream(lines(other)).json()
        assert (whole["accepted"], whole["refused"], whole["conflicts"]) == (0, 1, 1)
        phases = [fact.phase for fact in server.facts if isinstance(fact, CallReported)]
        assert phases == ["ringing"] * 3

    def test_lines_without_a_name_are_never_repeats(self, server: IntakeServer) -> None:
        answers = verdicts(server, lines(CALL, CALL)) + verdicts(server, lines(CALL))
        assert [one["status"] for one in answers] == ["accepted"] * 3
        assert len({one["id"] for one in answers}) == 3
        assert all(isinstance(fact, CallReported) and fact.raw.headers == {} for fact in server.facts)

    @pytest.mark.parametrize(
        ("line", "code", "field", "your_id"),
        [
            (b"{bad", "INVALID_JSON", None, None),
            (b'{"type":"Nothing","id":"a"}', "UNKNOWN_TYPE", "type", "a"),
            (json.dumps({**CALL, "id": "b", "colour": 1}).encode(), "UNKNOWN_FIELD", "colour", "b"),
            (b'{"type":"CallReported","id":"c"}', "MISSING_FIELD", "call", "c"),
            (json.dumps({**PAYMENT, "id": "d", "amount": 1.5}).encode(), "INVALID_VALUE", "amount", "d"),
            (json.dumps({**PAYMENT, "id": "e", "currency": "?"}).encode(), "INVALID_VALUE", "currency", "e"),
            (json.dumps({**PAYMENT, "id": 7}).encode(), "INVALID_VALUE", "id", None),
            (json.dumps({**FORM, "phones": [1]}).encode(), "INVALID_VALUE", "phones[0]", None),
            (json.dumps({**PAYMENT, "refunded_minor": 2**63}).encode(), "TOO_LARGE", None, None),
        ],
    )
    def test_a_refused_line_says_which_and_why(
        self, server: IntakeServer, line: bytes, code: str, field: str | None, your_id: str | None
    ) -> None:
        (verdict,) = verdicts(server, b"\n" + line)
        assert (verdict["status"], verdict["line"], verdict["code"]) == ("refused", 2, code)
        assert (verdict.get("field"), verdict.get("your_id")) == (field, your_id)
        assert verdict["error"] == f"Line 2: {verdict['message']}"
        assert "id" not in verdict
        assert server.records() == []

    def test_blank_lines_and_byte_order_marks_are_no_facts(self, server: IntakeServer) -> None:
        """A file that Excel or PowerShell wrote was refused at its first line, and blank lines each got a refusal."""
        body = b"\xef\xbb\xbf" + lines(CALL) + b"\r\n \t\r\n" + lines(CALL) + b"\n{bad\n\n\n"
        answers = verdicts(server, body)
        assert [one["status"] for one in answers] == ["accepted", "accepted", "refused"]
        assert answers[2]["line"] == 6
        for marked in (b"\xef\xbb\xbf" + lines(CALL), lines(CALL).decode().encode("utf-16")):
            assert server.stream(marked).json()["accepted"] == 1
        assert server.stream(b"\xef\xbb\xbf\n\n", NDJSON).status_code == 400

    def test_null_means_not_given(self, server: IntakeServer) -> None:
        nulls = {"line": None, "talk_s": None, "utm": {"source": None, "medium": "cpc"}, "id": None, "sender": None}
        form = {
            "type": "FormSubmitted",
            "phones": [None, "050 123 45 67"],
            "emails": None,
            "fields": {"empty": None, "deep": {"a": None, "b": [None, 1.50]}},
            "amount": None,
            "amount_minor": None,
        }
        payment = {**PAYMENT, "payer": {"name": "Олена", "iban": None}, "purpose": None}
        assert [one["status"] for one in verdicts(server, lines({**CALL, **nulls}, form, payment))] == ["accepted"] * 3
        call, form_fact, paid = sorted(server.facts, key=lambda fact: type(fact).__name__)
        assert isinstance(call, CallReported)
        assert (call.line, call.talk_s, call.utm) == ("", None, {"medium": "cpc"})
        assert isinstance(form_fact, FormSubmitted)
        assert (form_fact.phones, form_fact.emails) == ((Phone("050 123 45 67", "+380501234567"),), ())
        assert form_fact.fields == {"deep": '{"a": null, "b": [null, 1.5]}'}
        assert form_fact.raw.body == json.dumps(form).encode()
        assert isinstance(paid, PaymentReported)
        assert (paid.payer, paid.purpose) == (Payer(name="Олена"), "")
        (refused,) = verdicts(server, lines({**CALL, "call": None}))
        assert refused["message"] == "Object missing required field `call`."

    def test_null_in_an_avro_file_means_not_given(self, server: IntakeServer) -> None:
        optional = [
            {"name": name, "type": ["null", "string"], "default": None}
            for name in ("call", "phase", "direction", "phone", "line", "id")
        ]
        schema = {"type": "record", "name": "CallReported", "fields": optional}
        bare = {name: value for name, value in CALL.items() if name != "type"}
        answer = server.stream(container(schema, bare, {**bare, "call": None}), "application/avro").json()
        assert (answer["accepted"], answer["refused"]) == (1, 1)
        assert answer["facts"][1]["error"] == "Line 2: Object missing required field `call`."

    def test_what_is_no_number_in_an_avro_file_is_refused(self, server: IntakeServer) -> None:
        """NaN became null, so a field that was there was not."""
        schema = {
            "type": "record",
            "name": "FormSubmitted",
            "fields": [{"name": "fields", "type": {"type": "map", "values": ["double", "string"]}}],
        }
        records = [{"fields": {"n": value}} for value in (1.5, float("nan"), float("-inf"))]
        answer = server.stream(container(schema, *records), "application/avro").json()
        assert (answer["accepted"], answer["refused"]) == (1, 2)
        said = "Line 2: In `fields.n`: NaN and infinity cannot be stored. Leave the field out, or give a "
        assert answer["facts"][1]["error"] == said + "number."
        assert [fact.fields for fact in server.facts if isinstance(fact, FormSubmitted)] == [{"n": "1.5"}]

    def test_one_sender_has_one_key_whatever_it_tells(self, server: IntakeServer) -> None:
        """Each kind had a topic of its own, so a call could be decided before the form that it followed."""
        message = {**MESSAGE, "ordered_by": "person 1"}
        found = [{**one, "sender": "person 1"} for one in (FORM, CALL, PAYMENT)]
        assert {one["status"] for one in verdicts(server, lines(*found, message))} == {"accepted"}
        assert {(record.topic, record.key) for record in server.records()} == {
            ("crm.intake.facts", server.records()[0].key)
        }
        assert verdicts(server, lines({**MESSAGE, "sender": "person 1"}))[0]["status"] == "accepted"
        assert len({record.key for record in server.records()}) == 2

    def test_forms_and_calls_of_one_number_have_one_key_by_themselves(self, server: IntakeServer) -> None:
        """Only those that gave a `sender` were in order: by default a call was ordered by its own id."""
        other = {**CALL, "phone": {"text": "067 123 45 67"}}
        withheld = [{**CALL, "call": call, "phone": "anonymous"} for call in ("c1", "c1", "c2")]
        assert {one["status"] for one in verdicts(server, lines(FORM, CALL, other, *withheld))} == {"accepted"}
        keys = Counter(record.key for record in server.records())
        assert sorted(keys.values()) == [1, 1, 2, 2]  # the form and its call, and the two of c1

    def test_a_payer_is_known_as_people_write_it(self, server: IntakeServer) -> None:
        payers: list[dict[str, Any]] = [
            {"phone": "067 123-45-67", "email": " Olena@Example.com."},
            {"phone": "call me", "email": "olena koval@example.com", "name": "Олена"},
        ]
        assert server.stream(lines({**PAYMENT, "payer": payers[0]})).json()["accepted"] == 1
        assert server.stream(lines({**PAYMENT, "payer": payers[1]})).json()["accepted"] == 1
        found = [fact for fact in server.facts if isinstance(fact, PaymentReported)]
        known, unknown = sorted(found, key=lambda fact: fact.payer.name)
        assert (known.payer, known.doubts) == (Payer(phone="+380671234567", email="olena@example.com"), ())
        assert unknown.payer == Payer(name="Олена")
        assert unknown.doubts == (
            "The payer's phone 'call me' cannot be read as one number and is ignored.",
            "The payer's e-mail 'olena koval@example.com' cannot be read as one address and is ignored.",
        )

    def test_an_address_that_is_not_certain_stays_to_be_seen(self, server: IntakeServer) -> None:
        form = {**FORM, "emails": [" A@x.ua", "olena koval@example.com", ""], "fields": {}}
        assert server.stream(lines(form)).json()["accepted"] == 1
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)
        assert (fact.emails, fact.fields) == (("a@x.ua", "olena koval@example.com", ""), {})

    @pytest.mark.parametrize(
        ("change", "minor", "currency"),
        [
            ({"currency": "грн"}, 1250, "UAH"),
            ({"currency": "₴"}, 1250, "UAH"),
            ({"currency": "eur"}, 1250, "EUR"),
            ({"currency": "JPY", "amount": "12"}, 12, "JPY"),
            ({"amount": "1 500,00 ₴"}, 150_000, "UAH"),
        ],
    )
    def test_a_currency_as_people_write_it(
        self, server: IntakeServer, change: dict[str, Any], minor: int, currency: str
    ) -> None:
        assert server.stream(lines({**PAYMENT, **change})).json()["accepted"] == 1
        (fact,) = server.facts
        assert isinstance(fact, PaymentReported)
        assert (fact.amount_minor, fact.currency) == (minor, currency)

    def test_a_sum_in_another_currency_than_the_line_is_refused(self, server: IntakeServer) -> None:
        (verdict,) = verdicts(server, lines({**PAYMENT, "amount": "USD 12.50"}))
        assert verdict["message"] == "In `amount`: 'USD 12.50' is in USD, and `currency` is UAH."

    def test_country_and_currency_are_the_workspaces(self, server: IntakeServer) -> None:
        """Numbers of every workspace were read as Ukrainian ones."""
        poland = WorkspaceDeclared(meta(WORKSPACE), "Shop", "PL", "PLN", "Europe/Warsaw")
        server.access.take(WORKSPACE.encode(), encode(poland))
        form = {"type": "FormSubmitted", "phones": ["601 234 567"], "amount": "12,50"}
        assert server.stream(lines(form)).json()["accepted"] == 1
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)
        assert fact.phones == (Phone("601 234 567", "+48601234567"),)
        assert (fact.amount_minor, fact.currency) == (1250, "PLN")

    def test_several_numbers_in_one_text(self, server: IntakeServer) -> None:
        assert (
            server.stream(lines({**FORM, "phones": ["067 123 45 67, 050 123 45 67", "who?"]})).json()["accepted"] == 1
        )
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)
        assert [phone.e164 for phone in fact.phones] == ["+380671234567", "+380501234567", ""]
        assert fact.phones[2].text == "who?"

    def test_several_members_of_a_gzip_are_one_body(self, server: IntakeServer) -> None:
        """Log shippers append a member a flush; all but the first was refused as something behind the end."""
        body = gzip.compress(lines(CALL)) + gzip.compress(b"") + gzip.compress(lines(FORM)) + b"\0\0"
        assert [one["status"] for one in verdicts(server, body, content_encoding="gzip")] == ["accepted"] * 2
        many = gzip.compress(b"") * 10_001
        assert server.stream(many, NDJSON, content_encoding="gzip").status_code == 400

    def test_an_admin_may_stream(self, server: IntakeServer) -> None:
        assert server.stream(lines(CALL), token=ADMIN).json()["accepted"] == 1
