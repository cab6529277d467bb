"""A file is sent in its order, once, however often it is sent; what was refused can be corrected and sent again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import httpx
import pytest

from crm.adapters.memory.log import MemoryLog
from crm.facts import CallReported, FormSubmitted
from services.operations.produce.identity import Identity
from services.operations.produce.run import Report, produce
from services.operations.produce.senders import TRIES, HttpSender
from services.operations.produce.sources import FactFile
from tests.support.facts_suite import CALL, FORM, lines
from tests.support.intake_server import IntakeServer, single_intake


@pytest.fixture
def server() -> IntakeServer:
    log = MemoryLog()
    return IntakeServer(log, single_intake, lambda: log.records)


def to(server: IntakeServer, **options: Any) -> HttpSender:
    def handle(request: httpx.Request) -> httpx.Response:
        query = f"?{request.url.query.decode()}" if request.url.query else ""
        token = request.headers["authorization"].removeprefix("Bearer ")
        answer = server.stream(request.content, request.headers["content-type"], token, query)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    token = options.pop("token", "crm_live_writer")
    return HttpSender("http://intake/facts", token, pause=0, transport=httpx.MockTransport(handle), **options)


def send(path: Path, sender: HttpSender, key: str = "", type_name: str = "", batch: int = 2) -> Report:
    file = FactFile(path, type_name, sender=key)
    identity = Identity(file.digest()[0], "" if file.is_table else key, type_name)
    with sender as connected:
        return produce(file.lines(), connected, identity, path.with_name(f"{path.name}.refused.ndjson"), batch=batch)


def test_a_file_is_sent_in_its_order_and_once(server: IntakeServer, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + lines(CALL, CALL) + b"\n" + lines({**CALL, "id": "mine"}, FORM, CALL))
    report = send(path, to(server))
    assert (report.lines, dict(report.statuses), report.refused_file) == (5, {"accepted": 5}, None)
    assert [type(fact).__name__ for fact in server.facts] == ["CallReported"] * 3 + ["FormSubmitted", "CallReported"]
    assert len({fact.meta.id for fact in server.facts}) == 5
    path.rename(tmp_path / "b.ndjson")
    assert dict(send(tmp_path / "b.ndjson", to(server), batch=5).statuses) == {"repeated": 5}
    assert len({fact.meta.id for fact in server.facts}) == 5


def test_what_was_refused_is_corrected_and_sent_again(server: IntakeServer, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(CALL, {**CALL, "phase": "gone"}, {"type": "Nothing"}) + b"{bad\n" + lines(CALL))
    report = send(path, to(server))
    assert (report.lines, report.refused, dict(report.statuses)) == (5, 3, {"accepted": 2, "refused": 3})
    assert report.sentences[0] == (
        "Line 2: Invalid enum value 'gone' in `phase`. Allowed: answered, completed, hung_up, ringing, transferred."
    )
    aside = tmp_path / "a.ndjson.refused.ndjson"
    assert report.refused_file == aside
    kept = [json.loads(line) for line in aside.read_text().splitlines()]
    assert [(one["refused"]["line"], one["refused"]["code"]) for one in kept] == [
        (2, "INVALID_VALUE"),
        (3, "UNKNOWN_TYPE"),
        (4, "INVALID_JSON"),
    ]
    assert kept[2]["fact"] == "{bad"
    kept[0]["fact"]["phase"] = "completed"
    aside.write_bytes(lines(kept[0]))
    assert dict(send(aside, to(server)).statuses) == {"accepted": 1}
    assert dict(send(aside, to(server)).statuses) == {"repeated": 1}
    assert [fact.phase for fact in server.facts if isinstance(fact, CallReported)] == ["ringing"] * 2 + [
        "completed"
    ] * 2
    assert len({fact.meta.id for fact in server.facts}) == 3


def test_one_sender_has_one_key(server: IntakeServer, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines({**CALL, "customer": 7}, {**FORM, "customer": "7"}, {**CALL, "customer": None}))
    assert dict(send(path, to(server), key="customer").statuses) == {"accepted": 3}
    first, second, third = (record.key for record in server.records())
    assert first == second != third


def test_each_format_gives_the_same_facts(server: IntakeServer, tmp_path: Path) -> None:
    rows = [{"name": "Олена"}, {"name": "Тарас"}]
    facts = [{"type": "FormSubmitted", **row} for row in rows]
    (tmp_path / "a.json").write_text(json.dumps(facts))
    (tmp_path / "a.jsonl").write_bytes(lines(*rows))
    (tmp_path / "a.csv").write_text("name\nОлена\nТарас\n")
    schema = {"type": "record", "name": "FormSubmitted", "fields": [{"name": "name", "type": "string"}]}
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, schema, rows)
    for name, type_name in (("a.json", ""), ("a.jsonl", "FormSubmitted"), ("a.csv", "FormSubmitted"), ("a.avro", "")):
        assert dict(send(tmp_path / name, to(server), type_name=type_name).statuses) == {"accepted": 2}, name
    assert [fact.name for fact in server.facts if isinstance(fact, FormSubmitted)] == ["Олена", "Тарас"] * 4


def test_a_value_of_avro_that_is_no_json_is_refused_and_the_rest_sent(server: IntakeServer, tmp_path: Path) -> None:
    values = {"name": "fields", "type": {"type": "map", "values": "double"}}
    schema = {"type": "record", "name": "FormSubmitted", "fields": [values]}
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, schema, [{"fields": {"n": n}} for n in (1.5, float("nan"), 2.5)])
    report = send(tmp_path / "a.avro", to(server), batch=1)
    assert (dict(report.statuses), len(server.facts)) == ({"accepted": 2, "refused": 1}, 2)
    assert report.sentences == [
        "Line 2: In `fields.n`: NaN and infinity cannot be stored. Leave the field out, or give a number."
    ]


def test_a_dry_run_keeps_nothing(server: IntakeServer, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(lines(CALL, {"type": "Nothing"}))
    report = send(tmp_path / "a.ndjson", to(server, dry=True))
    assert dict(report.statuses) == {"would_accept": 1, "refused": 1}
    assert server.records() == []


def failing(server: IntakeServer, fails: Callable[[int], bool], answer: httpx.Response | Exception) -> HttpSender:
    """A sender some of whose requests go wrong: those of which `fails` says so, by their number from 0."""
    good, count = to(server), 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if not fails(count - 1):
            return good.http.send(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return HttpSender("http://intake/facts", "crm_live_writer", pause=0, transport=httpx.MockTransport(handle))


@pytest.mark.parametrize("answer", [httpx.Response(503, text="Kafka is away.\n"), httpx.ConnectError("refused")])
def test_a_batch_is_sent_again_while_intake_is_away(
    server: IntakeServer, tmp_path: Path, answer: httpx.Response | Exception
) -> None:
    (tmp_path / "a.ndjson").write_bytes(lines(*[CALL] * 5))
    report = send(tmp_path / "a.ndjson", failing(server, lambda number: 0 < number < TRIES, answer))
    assert dict(report.statuses) == {"accepted": 5}
    assert len(server.facts) == 5


def test_it_stops_with_the_place_and_goes_on_when_it_is_called_again(server: IntakeServer, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(*[CALL] * 7))
    with pytest.raises(ValueError, match="reached") as raised:
        send(path, failing(server, lambda number: number > 1, httpx.ConnectError("refused")))
    assert str(raised.value) == (
        "http://intake/facts cannot be reached: refused. All was sent up to line 4. "
        "Run the same command again: what was accepted counts once."
    )
    assert len(server.facts) == 4
    assert dict(send(path, to(server)).statuses) == {"repeated": 4, "accepted": 3}


def test_a_token_that_may_not_write_stops_it_at_once(server: IntakeServer, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(lines(CALL))
    with pytest.raises(ValueError, match="This token lacks the scope write"):
        send(tmp_path / "a.ndjson", to(server, token="crm_live_reader"))
    assert server.records() == []
