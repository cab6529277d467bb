"""Bulk facts: 10,000 per request in each format, twice; and a client that writes directly to Kafka."""

import io
import json
import os
import re
import subprocess
import sys

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
