"""`crm tail`: prints facts and events as they arrive."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from aiokafka import TopicPartition

from crm.adapters.kafka.reading import open_consumer
from crm.contract.codec import decode
from crm.errors import Malformed
from crm.topics import TOPICS, Topic
from services.cli.options import Data, Json
from services.cli.target import target

PANEL, RANK = "Look", 1

# Only these are printed in clear: a field that is added later is masked until it is listed here.
HARMLESS = {
    *("type", "topic", "currency", "status", "stage", "phase", "direction", "channel", "chat_kind", "provider"),
    *("connector", "kind", "disposition", "workspace", "stream", "id", "cause", "cause_topic", "country", "timezone"),
    *("connection", "token", "deal_id", "contact_id", "call_id", "conversation_id", "message_id", "payment_id"),
    *("scopes", "content_type", "pipeline", "pick", "source", "rule"),
}
FREE = {"fields", "settings", "utm", "hints", "headers"}  # their keys are the vendor's or the user's words


def tail(
    topic: Annotated[str, typer.Argument(help=f"One of {', '.join(TOPICS)}.")] = "journal",
    from_start: Annotated[bool, typer.Option("--from-start", help="Start at the first record instead of now.")] = False,
    count: Annotated[int, typer.Option(help="Stop after this many; 0: never.")] = 0,
    show: Annotated[bool, typer.Option("--show", help="Show personal data and secrets in clear.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print facts or events as they arrive, with personal data masked. Stop with Ctrl-C."""
    found = TOPICS.get(topic) or next((t for t in TOPICS.values() if t.name == topic), None)
    if not found:
        raise ValueError(f"There is no topic {topic!r}. Choose one of {', '.join(TOPICS)}.")
    asyncio.run(follow(target(data).kafka_bootstrap, found, from_start, count, show, json))


async def follow(bootstrap: str, topic: Topic, from_start: bool, count: int, show: bool, as_json: bool) -> None:
    seen = 0
    async with aclosing(records(bootstrap, topic, from_start)) as incoming:
        async for record in incoming:
            described = describe(record, show)
            typer.echo(msgspec.json.encode(described).decode() if as_json else line(described))
            seen += 1
            if seen == count:
                return


async def records(bootstrap: str, topic: Topic, from_start: bool) -> AsyncGenerator[Any, None]:
    async with open_consumer(bootstrap, fetch_max_wait_ms=500) as consumer:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        await (consumer.seek_to_beginning if from_start else consumer.seek_to_end)(*partitions)
        async for record in consumer:
            yield record


def describe(record: Any, show: bool) -> dict[str, Any]:
    """Returns a record as plain values, masked unless `show`."""
    where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    if record.value is None:
        return {**where, "type": "tombstone"}
    try:
        fact = decode(record.value)
    except Malformed as error:
        return {**where, "type": "unreadable", "error": str(error)}
    plain = msgspec.to_builtins(fact, builtin_types=(bytes,))
    meta = plain.pop("meta")
    body = readable(plain) if show else masked(plain)
    return {
        **where,
        "type": type(fact).__name__,
        "at": datetime.fromtimestamp(meta["occurred_at"] / 1_000_000, UTC).isoformat(),
        "workspace": meta["workspace"],
        "stream": meta["stream"],
        **body,
    }


def masked(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {key: masked(inner, "" if name in FREE else str(key)) for key, inner in value.items()}
        case list() | tuple():
            return [masked(inner, name) for inner in value]
        case bytes():
            return f"{len(value)} bytes"
        case str() if value and name not in HARMLESS:
            return "***"
    return value


def readable(value: Any) -> Any:
    match value:
        case dict():
            return {key: readable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [readable(inner) for inner in value]
        case bytes():
            return value.decode(errors="backslashreplace")
    return value


def line(described: dict[str, Any]) -> str:
    """Returns `time Type partition/offset field=value ...` without empty fields."""
    rest = {k: v for k, v in described.items() if k not in ("topic", "partition", "offset", "type", "at", "workspace")}
    body = " ".join(f"{key}={value}" for key, value in rest.items() if value not in ("", None, [], {}))
    place = f"{described['partition']}/{described['offset']}"
    return f"{described.get('at', '-'):<32} {described['type']:<20} {place} {body}"
