"""`crm bench asof`: one card that a thousand things happened to, as it was at many moments, on either clock."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import envelope
from crm.adapters.postgres import history
from crm.asof import row_as_of
from crm.contract.codec import encode
from crm.envelope import Event, named_id
from crm.events import ContactCreated, ContactRenamed, DealAssigned, DealOpened, DealPaid, DealStageMoved
from crm.moments import Clock, written
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.topics import JOURNAL, journal_partition
from projections import PROJECTIONS
from streams.rebuild.from_empty import keep_history
from streams.rebuild.rebuild import Plan, rebuild
from tests.bench.alone import Alone, alone, running, scratch
from tests.bench.machine import machine, percentiles
from tests.bench.paced import Wrong, paced
from tests.bench.rebuild import PAIR

BEGAN = 1_750_000_000_000_000  # microseconds since 1970
MINUTE, LATE = 60_000_000, 7 * 1440 * 60_000_000
GOAL = 20.0  # milliseconds
RATE, WARM_UP = 20, 1  # questions a second; seconds
DEAL = """query ($id: ID!, $at: DateTime!, $clock: Clock!) {
  deal(id: $id, asOf: {at: $at, clock: $clock}) { stage owner paid { minor } fields } }"""
STAGES = ("new", "talks", "offer", "agreed")
Tell = Callable[[str], None]


def card(workspace: Id, number: int) -> Iterator[Event]:
    """`number` events of one stream. A payment is told of a week late, so that the clocks differ."""
    contact, deal = named_id(workspace, "long-lived"), named_id(workspace, "its deal")
    ids, stages, paid = count(), cycle(zip(STAGES, (*STAGES[1:], STAGES[0]), strict=True)), count(100, 100)

    def meta(late: int = 0) -> Meta:
        n = next(ids)
        at = BEGAN + n * MINUTE
        cause = named_id(contact, f"cause {n}")
        told = Micros(at - late), Micros(at), "site", cause, "crm.intake.forms", 0, n, "rule: site"
        return Meta(named_id(contact, str(n)), workspace, contact, *told)

    yield ContactCreated(meta(), contact, "Olena Kovalenko", "form", {})
    yield DealOpened(
        *(meta(), deal, contact, 1, "Order 1", 1_000_000, "UAH", "new", "form", "order", "/p/7"),
        fields={"size": '"L"'},
        utm={},
    )
    for n in range(number - 2):
        match n % 10:
            case 3 | 7:
                sum_ = next(paid)
                yield DealPaid(
                    meta(LATE), deal, contact, named_id(deal, str(n)), sum_, 100, 0, "UAH", "Found by its reference"
                )
            case 5:
                yield DealAssigned(meta(), deal, contact, f"owner{n % 4}@shop.ua", "site", 1, "Takes turns")
            case 9:
                yield ContactRenamed(meta(), contact, f"Olena Kovalenko {n}", "A longer name was told")
            case _:
                yield DealStageMoved(meta(), deal, contact, *next(stages), "Moved by hand")


async def bench(events: int, moments: int, tell: Tell) -> dict[str, Any]:
    """Asked over HTTP as anybody would, and as `crm asof` asks."""
    with scratch() as folder:
        async with alone(folder) as here:
            tell(f"Writing a card of {events:,} events")
            told = list(card(here.workspace, events))
            await lived(here, told)
            found = await asked(here, folder, told, moments, tell)
    return {"benchmark": "as of", "machine": machine(), "settings": {"events": events, "moments": moments}, **found}


async def lived(here: Alone, events: Sequence[Event], topic: str = JOURNAL.name) -> None:
    """In Kafka, in the history and in the read models."""
    async with AIOKafkaProducer(bootstrap_servers=here.bootstrap) as producer:
        for position, event in enumerate(events):
            value, meta = encode(event), event.meta
            place = {"key": meta.stream.encode(), "partition": journal_partition(meta.stream)}
            headers = envelope(meta.id, meta.source, meta.trace, value, position)
            await producer.send(topic, value, headers=headers, **place)
        await producer.flush()
    await keep_history(here.bootstrap, here.dsn, topic)
    await rebuild(Plan(here.bootstrap, here.dsn, PAIR, topic, workers=1, compare=False))


async def asked(here: Alone, folder: Path, events: Sequence[Event], number: int, tell: Tell) -> dict[str, Any]:
    api = here.api(folder)
    tell(f"Asking for {number:,} moments")
    plain = await plainly(here, events, number)
    async with running(api):
        await paced(api.url, here.token, DEAL, questions(events, number), RATE, WARM_UP)
        graphql = await paced(api.url, here.token, DEAL, questions(events, number), RATE, number // RATE)
    met = plain["p99_ms"] < GOAL and graphql["p99_ms"] < GOAL and not graphql["wrong"]
    return {"graphql": graphql, "plain": plain, "goal_p99_ms": GOAL, "goal_met": met}


def moments_of(events: Sequence[Event], number: int) -> Iterator[tuple[Micros, Clock]]:
    """From the deal's opening to its last event; the same ones in each run."""
    dice = Random(7)
    for _ in range(number):
        yield (
            Micros(dice.randrange(events[1].meta.recorded_at, events[-1].meta.recorded_at + MINUTE)),
            dice.choice([*Clock]),
        )


def questions(events: Sequence[Event], number: int) -> Iterator[tuple[dict[str, Any], Wrong]]:
    """Each with the fold of what the card is known to have gone through."""
    deal = PROJECTIONS["deal"]
    folded = [event for event in events if type(event) in deal.handles]
    for at, clock in moments_of(events, number):
        row = row_as_of(deal, folded, at, clock)
        asked = {"id": row.deal_id, "at": written(at), "clock": clock.name}
        yield asked, partial(is_not, row)


def is_not(row: Any, data: Any) -> bool:
    told = data["deal"]
    return (told["stage"], told["owner"], told["paid"]["minor"]) != (row.stage, row.owner, row.paid_minor)


async def plainly(here: Alone, events: Sequence[Event], number: int) -> dict[str, float]:
    """The events out of Postgres and their fold, one question after the other."""
    deal, taken = PROJECTIONS["deal"], []
    key = deal.key_of(events[1])
    async with await AsyncConnection.connect(here.dsn, autocommit=True) as conn:
        for at, clock in moments_of(events, number):
            began = time.perf_counter()
            row_as_of(deal, await history.of_row(conn, deal, here.workspace, key), at, clock)
            taken.append(time.perf_counter() - began)
    return percentiles(taken)
