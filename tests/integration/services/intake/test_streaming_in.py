"""The client of docs/streaming-in.md, run as it stands there, in a process that knows nothing of this project."""

import asyncio
import json
import os
import re
import subprocess
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.contract.codec import decode
from crm.facts import FormSubmitted
from crm.shared import Phone
from crm.topics import INTAKE
from tests.support.intake_server import WORKSPACE
from tests.support.tools import ROOT

(SNIPPET,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "streaming-in.md").read_text("utf-8"), re.DOTALL)


async def last_three(bootstrap: str) -> list[FormSubmitted]:
    """One sender's facts lie in one partition, in order."""
    async with AIOKafkaConsumer(INTAKE["facts"].name, bootstrap_servers=bootstrap, fetch_max_wait_ms=20) as consumer:
        partitions = [TopicPartition(INTAKE["facts"].name, n) for n in range(INTAKE["facts"].partitions)]
        ends = await consumer.end_offsets(partitions)
        found: list[object] = []
        for partition in partitions:
            start = max(0, ends[partition] - 3)
            consumer.seek(partition, start)
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [decode(record.value) for record in records]
    forms = [fact for fact in found if isinstance(fact, FormSubmitted) and fact.meta.workspace == WORKSPACE]
    return [form for form in forms if form.name == "Олена" and "order" in form.fields]


def test_a_stranger_with_the_schemas_writes_facts_that_are_read(kafka_bootstrap: str) -> None:
    given = {**os.environ, "KAFKA_BOOTSTRAP": kafka_bootstrap, "WORKSPACE": WORKSPACE}
    done = subprocess.run([sys.executable, "-c", SNIPPET], cwd=ROOT, env=given, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    facts = asyncio.run(last_three(kafka_bootstrap))
    assert [fact.fields["order"] for fact in facts[-3:]] == ["0", "1", "2"]
    assert facts[-1].phones == (Phone("+380501234567", "+380501234567"),)
    assert json.loads(facts[-1].raw.body) == {"order": 2, "name": "Олена", "phone": "+380501234567"}
