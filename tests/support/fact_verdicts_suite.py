"""What POST /facts says of a request and of a line that is refused, on any log."""

import json
from typing import Any

import pytest

from crm.decisions import RULES
from crm.decisions.fact_rule import FactRule
from tests.support.fact_lines_suite import NDJSON, verdicts
from tests.support.facts_suite import CALL, FORM, MAIL, MESSAGE, PARCEL, PART, PAYMENT, STATUS, lines
from tests.support.intake_server import IntakeServer


class FactVerdictsSuite:
    @pytest.mark.parametrize(
        ("line", "allowed", "end"),
        [
            (
                {**PAYMENT, "status": "paid"},
                ["created", "expired", "failed", "held", "settled", "reversed"],
                "Allowed: created, expired, failed, held, reversed, settled.",
            ),
            ({**CALL, "direction": "up"}, ["in", "out"], "Allowed: in, out."),
            ({**MESSAGE, "chat_kind": ""}, ["private", "group", "channel"], "Allowed: channel, group, private."),
            ({**MESSAGE, "attachments": [{"kind": "a", "nme": "b"}]}, ["name", "kind"], "Did you mean `name`?"),
            ({**CALL, "fone": "1"}, ["direction", "phone"], "Did you mean `phone`?"),
            ({**FORM, "colour": "red"}, ["fields", "phones"], "Fields of your own go into `fields`."),
            ({**PAYMENT, "payer": {"nam": "x"}}, ["name", "phone"], "Did you mean `name`?"),
            ({**FORM, "phones": [{"txt": "x"}]}, ["text", "e164", "extension"], "Did you mean `text`?"),
            ({"id": "a"}, ["CallReported", "FormSubmitted", "MessageReported", "PaymentReported"], ""),
        ],
    )
    def test_a_refused_line_says_what_is_allowed(
        self, server: IntakeServer, line: dict[str, Any], allowed: list[str], end: str
    ) -> None:
        """A client had to look up the words of `status` in the schemas, and got no hint at a misspelt field."""
        (verdict,) = verdicts(server, lines(line))
        assert verdict["message"].endswith(end)
        assert set(allowed) <= set(verdict["allowed"])
        if verdict["code"] == "INVALID_VALUE":
            assert set(allowed) == set(verdict["allowed"])
        assert server.records() == []

    def test_what_is_any_text_lists_no_words(self, server: IntakeServer) -> None:
        answers = verdicts(server, lines({**CALL, "line": 7}, {**PAYMENT, "currency": "?"}) + b"[]\n7\n{bad")
        assert [one["status"] for one in answers] == ["refused"] * 5
        assert not any("allowed" in one for one in answers)

    def test_a_request_of_which_nothing_was_taken_is_answered_422(self, server: IntakeServer) -> None:
        """It was answered 200, so a script that looked only at the status believed that all was well."""
        bad = lines({**CALL, "phase": "gone"})
        for kind in (NDJSON, "application/json"):
            answer = server.stream(bad, kind)
            assert (answer.status_code, answer.text.count('"INVALID_VALUE"')) == (422, 1)
        assert server.stream(bad + lines(CALL), NDJSON).status_code == 200
        mine = lines({**CALL, "id": "mine"})
        assert [server.stream(mine).status_code for _ in range(2)] == [200, 200]
        assert server.stream(lines({**CALL, "id": "mine", "line": "2"})).status_code == 422
        assert len(server.facts) == 3

    @pytest.mark.parametrize("query", ["?dry_run=1", "?dryRun=true", "?dry-run"])
    def test_a_dry_run_checks_everything_and_keeps_nothing(self, server: IntakeServer, query: str) -> None:
        body = lines({**CALL, "id": "a"}, {**CALL, "id": "a"}, {**CALL, "id": "a", "line": "2"}, {"type": "Nothing"})
        answer = server.stream(body, NDJSON, query=query, idempotency_key="k")
        statuses = [json.loads(line)["status"] for line in answer.text.splitlines()]
        assert (answer.status_code, statuses) == (200, ["would_accept", "repeated", "conflict", "refused"])
        whole = server.stream(lines(CALL, {"type": "Nothing"}).replace(b"\n", b",").join((b"[", b"]")), query=query)
        assert whole.status_code == 400
        counts = server.stream(json.dumps([CALL, {**CALL, "line": 7}]).encode(), query=query).json()
        del counts["facts"]
        assert counts == {"dry_run": True, "accepted": 0, "refused": 1, "would_accept": 1}
        assert server.stream(lines({"type": "Nothing"}), query=query).status_code == 422
        assert server.records() == []
        assert verdicts(server, lines({**CALL, "id": "a", "line": "3"}), idempotency_key="k")[0]["status"] == "accepted"

    def test_an_unclear_dry_run_keeps_nothing(self, server: IntakeServer) -> None:
        answer = server.stream(lines(CALL), query="?dry_run=maybe")
        assert (answer.status_code, answer.json()["error"]) == (
            400,
            "dry_run is 'maybe'; it takes 1 or 0. Nothing was kept.",
        )
        assert server.records() == []
        assert server.stream(lines(CALL), query="?dry_run=0&x=1").json()["accepted"] == 1

    def test_a_later_part_of_a_large_request_knows_the_earlier_ones(self, server: IntakeServer) -> None:
        same = {"type": "FormSubmitted", "id": "a"}
        answers = verdicts(server, lines(same) + b'{"type":"FormSubmitted"}\n' * 4_998 + lines(same))
        assert [one["status"] for one in answers] == ["accepted"] * 4_999 + ["repeated"]
        assert len(server.records()) == 5_000

    @pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.sender], ids=lambda r: r.fact.__name__)
    def test_no_moment_may_lie_far_ahead(self, server: IntakeServer, rule: FactRule) -> None:
        """Of every field that holds a time, of facts that are added later too."""
        own_key = {name: "one" for name in ("key", "object") if name in rule.fact.__struct_fields__}
        samples = (FORM, PAYMENT, PART, CALL, MESSAGE, MAIL, STATUS, PARCEL)
        known: dict[str, Any] = {str(one["type"]): one for one in samples}
        line: dict[str, Any] = known.get(rule.fact.__name__) or {"type": rule.fact.__name__, **own_key}
        for name in ("occurred_at", *rule.moments):
            (verdict,) = verdicts(server, lines({**line, name: "2031-01-01T00:00:00Z"}))
            assert (verdict["field"], verdict["status"]) == (name, "refused")
            assert "days ahead" in verdict["message"] or "a day ahead" in verdict["message"]
        assert server.records() == []
