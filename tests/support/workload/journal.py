"""A long journal, written straight to Kafka: the events of many contacts with a deal each, interleaved.

`python -m tests.support.workload.journal BOOTSTRAP CARDS PARTITIONS` writes some of its partitions (a JSON list). Two
numbers from 0 to 1 after them write only that part of each partition.
"""

import asyncio
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Any

from aiokafka import AIOKafkaProducer

from crm.adapters.kafka.journal_log import envelope
from crm.contract.codec import encode
from crm.envelope import Event, named_id
from crm.events import (
    ContactCreated,
    ContactRenamed,
    DealAssigned,
    DealOpened,
    DealPaid,
    DealStageMoved,
    IdentifierAdded,
)
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.topics import JOURNAL, journal_partition

SHOP = Id("33333333-3333-4333-8333-333333333333")
BEGAN = 1_750_000_000_000_000  # microseconds since 1970
EVENTS_OF_A_CARD = 17
ALIVE = 500  # cards of a partition that events come of at one time
IN_FLIGHT = 24  # batches


def card(contact: Id, n: int) -> Iterator[Event]:
    """Yields the events of one contact and its deal, all of types that deal, contact and timeline fold."""
    deal, cause, clock = named_id(contact, "deal"), named_id(contact, "form"), count(BEGAN + n * 1_000_000, 60_000_000)
    ids = count()

    def meta() -> Meta:
        at = Micros(next(clock))
        id = named_id(contact, str(next(ids)))
        return Meta(id, SHOP, contact, at, at, "site", cause, "crm.intake.forms", n % 12, n, "rule: site")

    yield ContactCreated(meta(), contact, f"Olena Kovalenko {n}", "form", {"source": "ads"})
    yield IdentifierAdded(meta(), contact, "phone", f"+38050{n:07}", f"050 {n:07}")
    yield IdentifierAdded(meta(), contact, "email", f"olena{n}@example.com", f"Olena{n}@example.com")
    yield DealOpened(
        *(meta(), deal, contact, n, f"Order {n}", 20200 + n % 100, "UAH", "new", "form", "order", "/p/7"),
        fields={"size": '"L"', "count": "7"},
        utm={"source": "ads"},
    )
    yield DealAssigned(meta(), deal, contact, "taras@shop.ua", "site", 1, "Takes turns with others")
    yield ContactRenamed(meta(), contact, f"Olena Kovalenko-Shevchenko {n}", "A longer name was sent")
    for stage, further in (("new", "talks"), ("talks", "offer"), ("offer", "agreed"), ("agreed", "talks")):
        yield DealStageMoved(meta(), deal, contact, stage, further, "Moved by hand")
    yield DealAssigned(meta(), deal, contact, "iryna@shop.ua", "site", 2, "Least open deals")
    yield IdentifierAdded(meta(), contact, "telegram", f"{n}", f"@olena{n}")
    for paid in (5000, 12000, 20200):
        yield DealPaid(meta(), deal, contact, named_id(deal, str(paid)), paid, paid, 0, "UAH", "Found by its reference")
    yield DealStageMoved(meta(), deal, contact, "talks", "won", "Paid in full")
    yield ContactRenamed(meta(), contact, f"Olena Kovalenko {n}", "Said so herself")


def partitions(cards: int) -> dict[int, list[tuple[Id, int]]]:
    """Returns the contacts of each journal partition."""
    found: dict[int, list[tuple[Id, int]]] = {p: [] for p in range(JOURNAL.partitions)}
    for n in range(cards):
        contact = named_id(SHOP, f"contact {n}")
        found[journal_partition(contact)].append((contact, n))
    return found


def interleaved(cards: Sequence[tuple[Id, int]], seed: int) -> Iterator[Event]:
    """Yields the cards' events, ALIVE cards at a time; each card's events are in order."""
    pick = random.Random(seed).randrange
    waiting = iter(cards)
    alive = [card(*next_) for _, next_ in zip(range(ALIVE), waiting, strict=False)]
    while alive:
        n = pick(len(alive))
        event = next(alive[n], None)
        if event:
            yield event
        elif new := next(waiting, None):
            alive[n] = card(*new)
        else:
            alive[n] = alive[-1]
            alive.pop()


async def fill(
    bootstrap: str,
    topic: str,
    cards: int,
    only: Sequence[int],
    wrote: Callable[[int], None] = lambda _: None,
    part: tuple[float, float] = (0.0, 1.0),
) -> dict[int, int]:
    """Writes these partitions of a journal of `cards` cards. Returns the next position of each."""
    ends = {}
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=900_000,
        max_request_size=4 << 20,
    )
    async with producer:
        every = partitions(cards)
        for partition in only:
            position, end = (int(len(every[partition]) * EVENTS_OF_A_CARD * share) for share in part)
            acks: list[asyncio.Future[object]] = []
            batch = producer.create_batch()
            for event in islice(interleaved(every[partition], partition), position, end):
                value, meta = encode(event), event.meta
                record: dict[str, Any] = {"key": meta.stream.encode(), "value": value, "timestamp": None}
                record["headers"] = envelope(meta.id, meta.source, meta.trace, value, position)
                if batch.append(**record) is None:
                    wrote(batch.record_count())
                    acks.append(await producer.send_batch(batch, topic, partition=partition))
                    if len(acks) > IN_FLIGHT:
                        await acks.pop(0)
                    batch = producer.create_batch()
                    batch.append(**record)
                position += 1
            wrote(batch.record_count())
            acks.append(await producer.send_batch(batch, topic, partition=partition))
            await asyncio.gather(*acks)
            ends[partition] = position
    return ends


if __name__ == "__main__":
    bootstrap, cards, only, *part = sys.argv[1:]
    begin, end = map(float, part or (0, 1))
    print(asyncio.run(fill(bootstrap, JOURNAL.name, int(cards), json.loads(only), part=(begin, end))))
