"""After a story of all vendors, no secret of a connection is in clear in Kafka, in Postgres, in an archive or a log."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
from aiokafka import TopicPartition

from crm.adapters.kafka.reading import open_consumer, read_range
from crm.topics import TOPICS
from services.demo.connections import CONNECTORS
from services.stack.secret_keys import NAME
from tests.support.running_stack import RunningStack

TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


async def topics(bootstrap: str) -> bytes:
    """Returns all that Kafka gives its readers."""
    places = [TopicPartition(topic.name, number) for topic in TOPICS.values() for number in range(topic.partitions)]
    found: list[bytes] = []
    async with open_consumer(bootstrap) as consumer:
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        async for fetched in read_range(consumer, {place: (begins[place], ends[place]) for place in places}):
            for record in (one for those in fetched.values() for one in those):
                found += [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
    return b"\n".join(found)


def tables(dsn: str) -> bytes:
    with psycopg.connect(dsn) as conn:
        names = [name for (name,) in conn.execute(TABLES)]
        return "\n".join(
            text for name in names for (text,) in conn.execute(f"SELECT t::text FROM {name} AS t".encode())
        ).encode()


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in (NAME, "demo.json"):  # the seed that the demo signs by is in the latter
            yield path, path.read_bytes()


def test_no_secret_is_in_clear(stack: RunningStack) -> None:
    stack.terminal.run("demo")
    secret, token = "a-secret-that-a-person-typed-1", "a-token-that-a-person-typed-2"
    made = stack.terminal.run_json(f"connect form --secret {secret} --setting token={token} --name Scan")
    answer = stack.http.post(made["url"], data={"phone": "0671234567"}, headers={"x-form-token": token})
    assert answer.status_code == 200, answer.text
    assert stack.http.post(made["url"], data={"phone": "0671234568"}, headers={"x-form-token": "x"}).status_code == 401
    stack.settle()
    status = stack.terminal.run_json("secrets status")
    assert (status["in_clear"], status["lost"], status["old_in_clear"]) == (0, [], 0)
    running = stack.running()
    hidden = [stack.secret(name).encode() for name in CONNECTORS] + [secret.encode(), token.encode()]
    hidden = [text for text in hidden if len(text) > 8 and not text.startswith((b"LS0t", b"-----BEGIN PUBLIC"))]
    assert len(hidden) > len(CONNECTORS) / 2
    for what, content in (
        ("Kafka", asyncio.run(topics(running.kafka_bootstrap))),
        ("Postgres", tables(running.database_url)),
        *((str(path), content) for path, content in files(stack.data)),
    ):
        assert content or what not in ("Kafka", "Postgres")
        assert [text for text in hidden if text in content] == [], what


def test_a_new_key_needs_no_restart(stack: RunningStack) -> None:
    made = stack.terminal.run_json("connect form --setting token=of-the-old-key --name Rotated")

    def posted(token: str) -> int:
        return stack.http.post(made["url"], data={"phone": "0671234567"}, headers={"x-form-token": token}).status_code

    assert (posted("of-the-old-key"), posted("another")) == (200, 401)
    (before,) = stack.terminal.run_json("secrets status")["keys"]
    done = stack.terminal.run_json("secrets rotate --new-key")
    assert made["connection"] in done["encrypted"] and done["key"] != before
    assert (posted("of-the-old-key"), posted("another")) == (200, 401)
    status = stack.terminal.run_json("secrets status")
    assert (status["keys"], set(status["encrypted"])) == ([done["key"], before], {done["key"]})
    file = stack.data / NAME
    assert file.stat().st_mode & 0o777 == 0o600
    again = stack.terminal.run_json("connect form --setting token=of-the-new-key --name Later")
    assert again["connection"] != made["connection"]
    assert set(stack.terminal.run_json("secrets status")["encrypted"]) == {done["key"]}
