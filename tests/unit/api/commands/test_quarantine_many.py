"""Many quarantined deliveries read again: counted, and those of one sender in their order."""

import asyncio
from collections.abc import Collection
from typing import Any

import msgspec
import pytest

from api.commands.quarantine_many import read_all
from crm.log import Record
from crm.rereads import Entry, Reread, RereadRequest
from crm.scalars import Id
from crm.state import Quarantined
from tests.support.scenarios import NOON, SHOP

LOST = "Kafka does not have it."


def entry(n: int) -> Entry:
    given = {"connection": "c", "connector": "form", "reason": "why", "content_type": "", "size": 1, "sha256": ""}
    place = {"topic": "t", "partition": 0, "offset": n, "status": "waiting", "attempts": 0, "touched_by": ""}
    times = {"received_at": NOON, "quarantined_at": NOON}
    return msgspec.convert({"id": str(n), "workspace": SHOP, **given, **place, **times}, Entry)


class World:
    """Rereads without servers. `fails`: offsets that stay; `senders`: whose each is; `lost`: what Kafka lacks."""

    def __init__(
        self, fails: Collection[int], senders: dict[int, str], lost: Collection[int], settled: Collection[int]
    ) -> None:
        self.fails, self.senders, self.lost = fails, senders, lost
        self.status = {Id(str(n)): "discarded" for n in settled}
        self.sent: list[list[str]] = []

    async def states(self, entries: list[Entry]) -> dict[Id, Quarantined]:
        return {one.id: Quarantined(status=self.status.get(one.id, "")) for one in entries}

    async def records(self, entries: list[Entry]) -> list[Record | str]:
        return [LOST if one.offset in self.lost else Record("t", b"", b"", ()) for one in entries]

    async def ask(self, request: RereadRequest) -> Reread:
        offset = request.entry.offset
        sender = self.senders.get(offset, str(offset))
        return Reread((), (request.entry.id,), "decided again", f"summary {offset}", (), (sender,))

    async def send(self, *every: Reread) -> dict[int, int]:
        self.sent.append([one.ids[0] for one in every])
        for one in every:
            if int(one.ids[0]) not in self.fails:
                self.status[one.ids[0]] = "released"
        return {0: 7}


NONE: frozenset[int] = frozenset()


def read(
    count: int,
    fails: Collection[int] = NONE,
    senders: dict[int, str] | None = None,
    lost: Collection[int] = NONE,
    settled: Collection[int] = NONE,
) -> tuple[dict[str, Any], list[list[str]]]:
    world: Any = World(fails, senders or {}, lost, settled)
    return asyncio.run(read_all(world, [entry(n) for n in range(count)], "Olena")), world.sent


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in ("read", "released", "waiting", "held", "settled"))


def test_all_are_understood() -> None:
    found, sent = read(3)
    assert (counts(found), found["position"], found["reasons"], sent) == ((3, 3, 0, 0, 0), "0:7", [], [["0", "1", "2"]])


def test_one_of_a_sender_waits_for_the_one_before_it() -> None:
    found, sent = read(4, senders={0: "a", 2: "a", 3: "a"})
    assert (counts(found), sent) == ((4, 4, 0, 0, 0), [["0", "1"], ["2"], ["3"]])


def test_what_follows_one_that_failed_is_held() -> None:
    found, sent = read(4, fails={0}, senders={0: "a", 2: "a", 3: "a"})
    assert (counts(found), found["reasons"], sent) == ((4, 1, 1, 2, 0), ["summary 0"], [["0", "1"]])


@pytest.mark.parametrize(
    ("lost", "settled", "expected"), [({1}, set(), (2, 1, 1, 0, 0)), (set(), {0}, (2, 1, 0, 0, 1))]
)
def test_what_is_lost_or_settled_is_counted(lost: set[int], settled: set[int], expected: tuple[int, ...]) -> None:
    found, _ = read(2, lost=lost, settled=settled)
    assert (counts(found), found["reasons"]) == (expected, [LOST] if lost else [])


def test_nothing_is_sent_of_what_kafka_lacks() -> None:
    found, sent = read(2, lost={0, 1})
    assert (counts(found), found["position"], sent) == ((2, 0, 2, 0, 0), None, [])
