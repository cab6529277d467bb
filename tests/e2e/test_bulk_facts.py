"""Bulk facts: 10,000 per request in each format, twice; and a client that writes directly to Kafka."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import fastavro
import pytest

from tests.support.running_stack import RunningStack
from tests.support.terminal import ROOT

MANY = 10_000
(SNIPPET,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "streaming-in.md").read_text("utf-8"), re.DOTALL)
AVRO = {
    "type": "record",
    "name": "FormSubmitted",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "fields", "type": {"type": "map", "values": ["string", "long"]}},
    ],
}


OPEN_DEALS = "query($phone: String!) { caller(phone: $phone) { openDeals { number } } }"


def forms(batch: str) -> list[dict[str, object]]:
    return [{"name": f"{batch} {n}", "fields": {"batch": batch, "m": n}} for n in range(MANY)]


def as_json(batch: str) -> bytes:
    return json.dumps([{"type": "FormSubmitted", **form} for form in forms(batch)]).encode()


def as_ndjson(batch: str) -> bytes:
    return b"".join(json.dumps({"type": "FormSubmitted", **form}).encode() + b"\n" for form in forms(batch))


def as_avro(batch: str) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, AVRO, forms(batch), codec="deflate")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content_type", "written"),
    [("application/json", as_json), ("application/x-ndjson", as_ndjson), ("application/avro", as_avro)],
)
def test_ten_thousand_in_one_request_are_each_there_once(
    stack: RunningStack, content_type: str, written: object
) -> None:
    assert callable(written)
    body = written(content_type)
    first = stack.facts(body, content_type, **{"idempotency-key": f'"{content_type}"'})
    again = stack.facts(body, content_type, **{"idempotency-key": f'"{content_type}"'})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.text.count('"accepted"') == (MANY if content_type == "application/x-ndjson" else MANY + 1)
    assert again.text.count('"status":"repeated"') == MANY
    stack.settle()
    given = f', field: [{{name: "batch", equals: "{content_type}"}}]'
    assert sorted(deal["fields"]["m"] for deal in stack.rows("deals", given)) == list(range(MANY))


def test_a_file_is_produced_over_http_and_to_kafka_and_counts_once(stack: RunningStack, tmp_path: Path) -> None:
    """Of each customer a form and a call, in two files; a line that was refused is corrected and sent again."""
    orders, calls = tmp_path / "orders.csv", tmp_path / "calls.ndjson"
    rows = [f"Buyer {n},+3806355500{n:02},crate,{n}" for n in range(20)]
    orders.write_text("name,phone,produced,customer\n" + "\n".join(rows) + "\n", "cp1251")
    said = {"type": "CallReported", "phase": "completed", "direction": "in"}
    lines = [{**said, "call": f"p{n}", "phone": f"+3806355500{n:02}", "customer": n} for n in range(20)]
    lines[7]["phase"] = "over"
    calls.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    produce = f"produce {orders} --type FormSubmitted --map phone=phones --sender customer"
    assert stack.terminal.run_json(f"{produce} --dry-run")["would_accept"] == 20
    assert stack.terminal.run_json(produce)["accepted"] == 20
    assert stack.terminal.run_json(f"{produce} --kafka")["accepted"] == 20  # it does not know what intake took
    assert stack.terminal.run_json(produce)["repeated"] == 20
    found = stack.terminal.run_json(f"produce {calls} --sender customer", expect=1)
    assert (found["accepted"], found["refused"]) == (19, 1)
    aside = Path(found["refused_file"])
    aside.write_text(aside.read_text().replace('"phase":"over"', '"phase":"completed"'))
    assert stack.terminal.run_json(f"produce {aside}")["accepted"] == 1
    stack.settle()
    deals = stack.rows("deals", ', field: [{name: "produced", equals: "crate"}]')
    assert sorted(int(deal["fields"]["customer"]) for deal in deals) == list(range(20))
    callers = [stack.ask(OPEN_DEALS, phone=f"+3806355500{n:02}")["caller"]["openDeals"] for n in range(20)]
    assert [len(deals) for deals in callers] == [1] * 20


def test_another_body_under_the_same_key_is_refused(stack: RunningStack) -> None:
    one, other = (json.dumps({"type": "FormSubmitted", "name": name}).encode() for name in ("Один", "Другий"))
    assert stack.facts(one, **{"idempotency-key": "the same"}).status_code == 200
    answer = stack.facts(other, **{"idempotency-key": "the same"})
    assert (answer.status_code, "was used with another body before" in answer.json()["error"]) == (422, True)


def test_a_bad_line_does_not_stop_the_others(stack: RunningStack) -> None:
    lines = b'{"type":"FormSubmitted","fields":{"mixed":1}}\n{"type":"Nothing"}\n{"type":"PaymentReported"}\nnot json\n'
    answer = stack.facts(lines, "application/x-ndjson")
    verdicts = [json.loads(line) for line in answer.text.splitlines()]
    assert [verdict["status"] for verdict in verdicts] == ["accepted", "refused", "refused", "refused"]
    assert [verdict["error"].partition(":")[0] for verdict in verdicts[1:]] == ["Line 2", "Line 3", "Line 4"]
    stack.wait_for_answer(
        '{ deals(first: 9, field: [{name: "mixed", equals: 1}]) { nodes { fields } } }',
        {"deals": {"nodes": [{"fields": {"mixed": 1}}]}},
    )


def test_a_stranger_writes_facts_straight_to_kafka(stack: RunningStack) -> None:
    assert stack.demo
    servers = {"KAFKA_BOOTSTRAP": stack.running().kafka_bootstrap, "WORKSPACE": stack.demo.workspace}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", SNIPPET], cwd=ROOT, env={**os.environ, **servers}, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    stack.settle()
    query = 'query { caller(phone: "+380501234567") { contact { name } openDeals { fields } } }'
    caller = stack.ask(query)["caller"]
    assert caller["contact"] == {"name": "Олена"}
    assert sorted(deal["fields"]["order"] for deal in caller["openDeals"]) == [0, 1, 2]
