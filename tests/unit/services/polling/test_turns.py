"""The role asks a vendor in memory: pages, cursors, clocks and subjects."""

import asyncio
from email.utils import formatdate
from typing import Any

import httpx
import msgspec
import pytest

from crm.connector_poll import DAY, HOUR, SECOND, Ask, ByValue, Poll, Subjects, Turn
from crm.facts import DeliveryQuarantined
from crm.poll_paging import last_id
from tests.support.polling import BASE, NOW, Rig, by_time, connection_of, numbered, pages, parse


def test_a_turn_asks_page_after_page_and_keeps_each_item_once() -> None:
    """The second page repeats an entry of the first, as pages do when something is added meanwhile."""

    async def test() -> None:
        rig = Rig(by_time(), pages([1, 2], [2, 3], [4]))
        await rig.forward(10)
        assert rig.items == ["1", "2", "3", "4"]
        assert len(rig.facts) == 4
        begin, end = (str(at // SECOND) for at in (NOW - DAY * SECOND, NOW))
        first = {"from": begin, "to": end}
        assert rig.vendor.queries == [first, first | {"page": "2"}, first | {"page": "3"}]
        assert [at - NOW for at, _ in rig.vendor.requests] == [0, SECOND, 2 * SECOND], (
            "60 a minute, one after the other"
        )
        assert rig.vendor.requests[0][1].headers["x-key"] == "key"
        state = rig.states[connection_of().id]
        assert (state.problem, state.failures, state.found_at) == ("", 0, NOW + 2 * SECOND)
        assert (state.complete_at, state.next_at) == (NOW + 2 * SECOND, NOW + 302 * SECOND)

    asyncio.run(test())


def test_the_next_turn_asks_from_the_last_one_minus_the_overlap_and_writes_nothing_twice() -> None:
    async def test() -> None:
        rig = Rig(by_time(), pages([1]))
        await rig.forward(299)
        assert len(rig.vendor.requests) == 1
        await rig.forward(2)
        assert rig.vendor.queries[1]["from"] == str(NOW // SECOND - 600)
        assert len(rig.facts) == 1
        await rig.forward(DAY)
        assert len(rig.facts) == 1 and len(rig.vendor.requests) == 290

    asyncio.run(test())


def test_a_crash_in_the_middle_of_a_walk_goes_on_with_the_page_that_was_not_kept() -> None:
    async def test() -> None:
        rig = Rig(by_time(), pages([1, 2], [3, 4], [5]))
        await rig.forward(1)
        assert rig.items == ["1", "2", "3", "4"]
        rig.start()
        await rig.forward(10)
        assert rig.items == ["1", "2", "3", "4", "5"]
        assert [query.get("page", "1") for query in rig.vendor.queries] == ["1", "2", "3"]
        assert len(rig.facts) == 5

    asyncio.run(test())


def test_facts_are_kept_before_the_cursor_and_a_crash_between_them_repeats_the_same_ids() -> None:
    async def test() -> None:
        rig = Rig(by_time(), pages([1, 2], [3]))
        send, sent = rig.log.send, []

        def dies_at_the_cursor(*records: Any) -> Any:
            sent.append(records[0].topic)
            if sent[-1] == "crm.connections.cursors":
                raise asyncio.CancelledError
            return send(*records)

        rig.log.send = dies_at_the_cursor  # type: ignore[method-assign]  # a fault
        with pytest.raises(asyncio.CancelledError):
            await rig.turns.step(rig.account)
        assert sent == ["crm.intake.forms", "crm.connections.cursors"] and rig.states == {}
        rig.log.send = send  # type: ignore[method-assign]  # a fault
        rig.start()
        await rig.forward(10)
        ids = [fact.meta.id for fact in rig.facts]
        assert rig.items == ["1", "2", "3"] and len(ids) == 5 and len(set(ids)) == 3

    asyncio.run(test())


def by_id(**changes: Any) -> Poll:
    def ask_by_id(turn: Turn) -> Ask:
        return Ask("/feed", {} if turn.cursor else {"from": str(turn.since // SECOND)})

    options: dict[str, Any] = {
        "parse": parse,
        "items": ("items",),
        "cursor": ByValue("after", last_id(("items",), "id")),
    }
    return Poll(BASE, ask_by_id, **{**options, **changes})


class Feed:
    """Items with the time at which each came, two a page; `forgets`: whether it knows no id any more, and how."""

    def __init__(self) -> None:
        self.items: list[tuple[int, int]] = []
        self.forgets = 0

    def __call__(self, request: httpx.Request, query: dict[str, str]) -> Any:
        if "after" in query:
            if self.forgets == 410:
                return 410, b"", {}
            found = [] if self.forgets else [id for id, _ in self.items if id > int(query["after"])]
        else:
            found = [id for id, at in self.items if at >= int(query["from"]) * SECOND]
        return 200, {"items": numbered(found[:2])}, {}


def test_a_feed_is_followed_by_the_last_id() -> None:
    async def test() -> None:
        feed = Feed()
        rig = Rig(by_id(), feed)
        feed.items = [(n, NOW) for n in range(1, 6)]
        await rig.forward(30)
        assert rig.items == ["1", "2", "3", "4", "5"]
        assert [query.get("after") for query in rig.vendor.queries] == [None, "2", "4", "5"]
        rig.start()
        feed.items.append((6, rig.clock.at))
        await rig.forward(300)
        assert rig.items[-1] == "6" and len(rig.facts) == 6

    asyncio.run(test())


@pytest.mark.parametrize("how", [410, 200])
def test_a_vendor_that_forgets_the_cursor_is_caught_up_from_the_last_moment(how: int) -> None:
    """With an error, or with nothing but empty pages: then it is noticed after a day."""

    async def test() -> None:
        feed = Feed()
        feed.items = [(1, NOW)]
        rig = Rig(by_id(), feed)
        await rig.forward(HOUR)
        feed.forgets = how
        feed.items.append((2, rig.clock.at))
        rig.start()
        await rig.forward(600 if how == 410 else DAY + HOUR)
        assert rig.items == ["1", "2"] and rig.state.problem == ""
        assert len({fact.meta.id for fact in rig.facts}) == 2

    asyncio.run(test())


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_clock_that_is_an_hour_off_loses_nothing_and_is_said(ahead: int) -> None:
    """The vendor's clock counts: the cursor is never ahead of it."""

    async def test() -> None:
        items: list[tuple[int, int]] = []

        def answer(request: httpx.Request, query: dict[str, str]) -> Any:
            vendor_now = rig.clock.at // SECOND + ahead
            found = [id for id, at in items if int(query["from"]) <= at <= int(query["to"])]
            return 200, {"items": numbered(found)}, {"date": formatdate(vendor_now, usegmt=True)}

        rig = Rig(by_time(paging=None), answer)
        for number in range(20):
            items.append((number, rig.clock.at // SECOND + ahead))
            await rig.forward(300)
        await rig.forward(600)
        assert len(rig.items) == 20
        way = "ahead of" if ahead > 0 else "behind"
        assert rig.state.notice == f"The vendor's clock is 3600 s {way} Potik's. It counts for what is asked."

    asyncio.run(test())


def test_subjects_are_polled_in_batches_and_one_that_is_rejected_does_not_hold_up_the_others() -> None:
    async def test() -> None:
        async def source(*_: Any) -> list[str]:
            return [str(number) for number in range(250)]

        def answer(request: httpx.Request, query: dict[str, str]) -> Any:
            numbers = query["n"].split(",")
            return (404, b"", {}) if "0" in numbers else (200, {"items": [{"id": n} for n in numbers]}, {})

        poll = Poll(
            BASE,
            lambda turn: Ask("/track", {"n": ",".join(turn.subjects)}),
            parse=parse,
            items=("items",),
            cursor=None,
            subjects=Subjects("parcels", 100),
        )
        rig = Rig(poll, answer, find_source=lambda name: source)
        await rig.forward(3)
        assert len(rig.vendor.requests) == 3 and len(rig.items) == 150
        assert rig.state.problem == "The vendor answered 404."

    asyncio.run(test())


def test_what_was_before_the_connection_is_polled_for_from_a_day_on() -> None:
    async def test() -> None:
        rig = Rig(by_time(paging=None), pages([1]), connection_of(since="2026-09-01"))
        await rig.ask()
        assert rig.vendor.queries[0]["from"] == "1788210000", "midnight in Kyiv"

    asyncio.run(test())


def test_a_page_that_fits_into_no_record_is_quarantined_and_stops_nothing() -> None:
    """Its fact was too long, and so was its quarantine: it was asked for again forever."""

    async def test() -> None:
        long = {"id": 1, "text": "x" * 3_000_000}
        rig = Rig(by_time(items=None, paging=None), lambda *_: (200, long, {}))
        await rig.forward(301)
        first, *rest = rig.facts
        assert isinstance(first, DeliveryQuarantined) and rest == []
        assert first.reason.endswith("of which the first 1800000 were kept")
        assert first.raw.body == msgspec.json.encode(long)[:1_800_000]
        assert (rig.state.problem, len(rig.vendor.requests)) == ("", 2)

    asyncio.run(test())
