"""What goes wrong with vendors that are polled: errors, limits, keys, silence, one that takes all the room."""

import asyncio
from email.utils import formatdate
from itertools import pairwise
from typing import Any

import httpx
import pytest

from crm.connector_poll import DAY, HOUR, SECOND, Ask, Auth, LogIn, Poll, Throttled
from crm.poll_paging import read_token
from tests.support.polling import NOW, Others, Rig, ask, by_time, connection_of, numbered, pages, parse


@pytest.mark.parametrize(
    ("status", "body", "headers", "pause", "said"),
    [
        (500, b"", {}, 5, "The vendor answered 500."),
        (403, b'{"error": {"message": "Rate Limit Exceeded"}}', {}, 5, "The vendor asks for patience (status 403)."),
        (403, b'{"reason": "userRateLimitExceeded"}', {}, 5, "The vendor asks for patience (status 403)."),
        (403, b"no access", {}, 5, "The vendor answered 403: no access"),
        (429, b"slow", {"retry-after": "120"}, 120, "The vendor asks for patience (status 429)."),
        (
            503,
            b"",
            {"retry-after": formatdate(NOW / 1e6 + 90, usegmt=True), "date": formatdate(NOW / 1e6, usegmt=True)},
            90,
            "The vendor asks for patience (status 503).",
        ),
        (200, b"<html>Repairs</html>", {}, 5, "The vendor answered HTML instead of JSON, as it does when it is being "),
        (200, b'{"items": [', {}, 5, "The vendor's answer is not JSON: "),
        (200, b'{"error": "busy"}', {}, 5, "The vendor's answer has no list at items: 'items'."),
        (302, b"", {"location": "https://elsewhere"}, 5, "The vendor answered 302."),
        (400, b"bad key=key", {}, 5, "The vendor answered 400: bad ***=***"),
    ],
)
def test_what_cannot_be_used_is_said_and_polled_for_again(
    status: int, body: bytes, headers: dict[str, str], pause: int, said: str
) -> None:
    async def test() -> None:
        down = True

        def answer(request: httpx.Request, query: dict[str, str]) -> Any:
            return (status, body, headers) if down else pages([1])(request, query)

        rig = Rig(by_time(), answer)
        await rig.ask()
        assert rig.state.problem.startswith(said), rig.state.problem
        assert rig.states[connection_of().id].failures == 1
        await rig.forward(pause - 1)
        assert len(rig.vendor.requests) == 1
        down = False
        await rig.forward(2)
        assert rig.items == ["1"] and len(rig.vendor.requests) == 2
        assert (rig.state.problem, rig.state.failures) == ("", 0)

    asyncio.run(test())


def test_pauses_grow_and_end_at_a_quarter_of_an_hour() -> None:
    async def test() -> None:
        rig = Rig(by_time(), lambda *_: (500, b"", {}))
        await rig.forward(3 * HOUR)
        times = [at for at, _ in rig.vendor.requests]
        pauses = [(b - a) // SECOND for a, b in pairwise(times)]
        assert pauses[:9] == [5, 10, 20, 40, 80, 160, 320, 640, 900] and set(pauses[9:]) == {900}
        assert "It has failed for a while." in rig.state.advice

    asyncio.run(test())


def test_silence_and_a_slow_drip_are_cut() -> None:
    async def test() -> None:
        rig = Rig(by_time(), pages([1]))
        rig.vendors.seconds = 0.01

        class Drip(httpx.AsyncByteStream):
            async def __aiter__(self) -> Any:
                while True:
                    yield b" "
                    await Others()

        async def drips(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Drip())

        rig.vendor.handle_async_request = drips  # type: ignore[method-assign]  # a fault
        await rig.turns.step(rig.account)
        assert rig.state.problem == "The vendor did not answer in full within 0.01 s."

    asyncio.run(test())


def test_a_key_that_is_not_accepted_needs_a_person_and_is_polled_at_once_when_it_is_replaced() -> None:
    async def test() -> None:
        rig = Rig(by_time(), lambda request, _: (200 if request.headers["x-key"] == "new" else 401, {"items": []}, {}))
        await rig.forward(HOUR)
        assert len(rig.vendor.requests) == 2, "the second try, then each hour"
        assert rig.state.advice.startswith("The vendor does not accept the key. Give a new one: `crm connect acme ")
        rig.connections = {one.id: one for one in [connection_of(secret="new")]}
        rig.accounts.update(rig.connections, rig.states)
        await rig.ask()
        assert (rig.state.problem, rig.state.advice) == ("", "") and len(rig.vendor.requests) == 3

    asyncio.run(test())


def test_a_token_is_got_by_a_log_in_and_renewed_when_the_vendor_refuses_it() -> None:
    async def test() -> None:
        good = "t1"

        def answer(request: httpx.Request, query: dict[str, str]) -> Any:
            if request.url.path == "/auth":
                return 200, {"access_token": good, "expires_in": 1000}, {}
            accepted = request.headers["authorization"] == f"Bearer {good}"
            return (200, {"items": []}, {}) if accepted else (401, b"", {})

        log_in = LogIn(lambda _, key: Ask("/auth", method="POST", body=key.encode()), read_token)
        rig = Rig(by_time(auth=Auth(log_in=log_in)), answer)
        await rig.forward(310)
        assert [request.url.path for _, request in rig.vendor.requests] == ["/auth", "/items", "/items"]
        good = "t2"
        await rig.forward(300)
        assert [request.url.path for _, request in rig.vendor.requests][3:] == ["/items", "/auth", "/items"]
        await rig.forward(DAY)
        assert rig.state.failures == 0
        assert sum(request.url.path == "/auth" for _, request in rig.vendor.requests) == 2 + DAY // 900

    asyncio.run(test())


def test_a_vendor_that_gives_one_page_for_ever_is_left_after_two() -> None:
    async def test() -> None:
        rig = Rig(by_time(), lambda *_: (200, {"items": numbered([1, 2])}, {}))
        await rig.forward(3)
        assert len(rig.vendor.requests) == 2 and rig.items == ["1", "2"]
        assert rig.state.problem.startswith("The vendor gives one page again as the next.")

    asyncio.run(test())


def test_connections_with_one_key_share_its_limit_and_a_busy_one_starves_nobody() -> None:
    async def test() -> None:
        def answer(request: httpx.Request, query: dict[str, str]) -> Any:
            number = int(query.get("page", "1"))
            return 200, {"items": numbered([number * 2, number * 2 + 1])}, {}

        same = [connection_of(1), connection_of(2)]
        rig = Rig(by_time(per_minute=1), answer, *same, connection_of(3, "other"))
        await rig.forward(600)
        times: dict[str, list[int]] = {}
        for at, request in rig.vendor.requests:
            times.setdefault(request.headers["x-key"], []).append((at - NOW) // SECOND)
        assert times == {"key": list(range(0, 601, 60)), "other": list(range(0, 601, 60))}
        counts = {id: len([f for f in rig.facts if f.meta.source == id]) for id in rig.connections}
        assert sorted(counts.values()) == [10, 12, 22]

    asyncio.run(test())


def test_a_vendor_that_does_not_answer_leaves_room_for_the_others() -> None:
    async def test() -> None:
        hang = asyncio.Event()
        slow = [connection_of(number, f"k{number}", site="https://slow.example") for number in range(1, 41)]
        fast = [connection_of(number, f"k{number}", site="https://fast.example") for number in range(41, 51)]
        rig = Rig(by_time(), pages([1]), *slow, *fast)
        handle = rig.vendor.handle_async_request

        async def hangs(request: httpx.Request) -> httpx.Response:
            if int(request.headers["x-key"][1:]) <= 40:
                await hang.wait()
            return await handle(request)

        rig.vendor.handle_async_request = hangs  # type: ignore[method-assign]  # a fault
        for account in rig.accounts.accounts.values():
            base = account.connection.settings["site"]
            account.poll = Poll(base, ask, Auth("x-key", ""), parse, ("items",))
        rig.schedule.start()
        while len(rig.vendor.requests) < 10:
            rig.schedule.start()
            await Others()
        assert rig.schedule.busy["slow.example"] == 8
        hang.set()
        await rig.ask()
        assert len(rig.vendor.requests) == 50

    asyncio.run(test())


def test_nothing_is_polled_while_kafka_is_away() -> None:
    async def test() -> None:
        rig = Rig(by_time(), pages([1]))
        rig.log.away = "Kafka is away."
        await rig.forward(60)
        assert rig.vendor.requests == []
        rig.log.away = None
        await rig.forward(6)
        assert rig.items == ["1"]

    asyncio.run(test())


def test_an_error_with_status_200_is_the_connectors_to_see() -> None:
    async def test() -> None:
        def check(page: Any) -> None:
            if page.at("success") is False:
                raise Throttled("Too many.", 77)

        rig = Rig(by_time(check=check), lambda *_: (200, {"success": False}, {}))
        await rig.forward(76)
        assert len(rig.vendor.requests) == 1 and rig.state.problem == "Too many."
        await rig.forward(1)
        assert len(rig.vendor.requests) == 2

    asyncio.run(test())


def test_what_an_item_says_and_cannot_be_read_goes_to_quarantine_and_the_cursor_goes_on() -> None:
    async def test() -> None:
        rig = Rig(by_time(paging=None), lambda *_: (200, {"items": [{"id": 1}, {"no": 2}, {"id": 3}]}, {}))
        await rig.ask()
        assert {topic: len(records) for topic, records in rig.log.topics.items()} == {
            "crm.intake.forms": 2,
            "crm.quarantine": 1,
            "crm.connections.cursors": 2,
        }
        assert rig.log.topics["crm.quarantine"][0].value and b'{"no":2}' in rig.log.topics["crm.quarantine"][0].value

    asyncio.run(test())
