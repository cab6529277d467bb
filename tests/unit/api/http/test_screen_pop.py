"""The text of /screen-pop: each piece ends with its cursor, an end with its reason."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from api.errors import BadCursor, Unauthorized
from api.http.refusal import Refusal
from api.http.screen_pop import MOST, PopStream, read_employees, text_of
from api.live.screen_pop import Pop, read_cursor
from api.live.subscriptions.limits import ConnectionLimits, Limits
from crm.scalars import Id, Micros
from crm.screen_pop.rings import Message, Shown

ID = Id("11111111-1111-4111-8111-111111111111")
AT = tuple(range(100, 112))
SHOWN = {ID: Shown(Micros(5), Micros(7), {"leg": "101"})}


def pop(at: int, *messages: Message) -> Pop:
    return Pop("shop", (at, *AT[1:]), SHOWN, messages)


def id_line(at: int) -> bytes:
    return b"id: %s\n" % pop(at).cursor.encode()


RING = pop(2, ("ring", {"call_id": ID, "phone_text": "067\n12"}))


def test_messages_of_one_event_are_one_piece_and_the_last_one_brings_the_cursor() -> None:
    assert text_of(pop(1)) == id_line(1) + b"\n"
    assert text_of(pop(2, ("ring", {"n": 1}), ("end", {"n": 2}))) == (
        b'event: ring\ndata: {"n":1}\n\n' + id_line(2) + b'event: end\ndata: {"n":2}\n\n'
    )
    assert text_of(RING).count(b"\n") == 4  # a line break in a text is none of the stream


def test_a_cursor_holds_the_positions_and_what_is_shown() -> None:
    assert read_cursor(pop(100).cursor, "shop") == (AT, SHOWN)


@pytest.mark.parametrize("change", [lambda text: text[:-3], lambda text: "x" + text, lambda text: "0", lambda text: ""])
def test_a_cursor_that_was_damaged_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(BadCursor, match="Connect without it"):
        read_cursor(change(pop(1).cursor), "shop")
    with pytest.raises(BadCursor):
        read_cursor(pop(1).cursor, "other")
    with pytest.raises(BadCursor):
        read_cursor(Pop("shop", AT[1:], {}).cursor, "shop")


@pytest.mark.parametrize(
    ("query", "employees"),
    [
        (b"", ()),
        (b"employee=101&employee=%20taras%40shop.ua%20&employee=101", ("101", "taras@shop.ua")),
        (b"employee=%D0%86%D1%80%D0%B8%D0%BD%D0%B0", ("Ірина",)),
    ],
)
def test_employees_of_a_query(query: bytes, employees: tuple[str, ...]) -> None:
    assert read_employees(query) == employees


@pytest.mark.parametrize(
    "query", [b"employee=", b"employee=%FF", b"owner=1", b"&".join(b"employee=%d" % n for n in range(MOST + 1))]
)
def test_a_query_that_is_refused(query: bytes) -> None:
    with pytest.raises(Refusal, match="Nothing was read") as refused:
        read_employees(query)
    assert refused.value.status == 400


def served(*pops: Pop | Exception, revoked: bool = False) -> bytes:
    """Returns what a client receives from a stream that ends."""
    sent: list[bytes] = []

    def workspace() -> str:
        if revoked:
            raise Unauthorized("This token was revoked.")
        return "shop"

    async def follow() -> AsyncGenerator[Pop]:
        for pop in pops:
            if isinstance(pop, Exception):
                raise pop
            yield pop

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def run() -> None:
        context: Any = SimpleNamespace(workspace=workspace)
        await PopStream(context, ConnectionLimits(Limits()), send).serve(receive, follow())

    asyncio.run(run())
    return b"".join(sent)


def test_a_stream_begins_with_its_cursor_and_says_why_it_ends() -> None:
    assert served(pop(1), RING, pop(3), BadCursor("No.")) == (
        b"retry: 2000\n\n"
        + id_line(1)
        + b"\n"
        + text_of(RING)
        + b'event: refused\nid\ndata: {"code":"BAD_CURSOR","message":"No."}\n\n'
    )
    assert served(RING, revoked=True) == (
        b'retry: 2000\n\nevent: refused\ndata: {"code":"UNAUTHORIZED","message":"This token was revoked."}\n\n'
    )


def test_while_nothing_happens_a_newer_id_is_sent_once() -> None:
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message["body"])

    async def run() -> None:
        context: Any = SimpleNamespace()
        stream = PopStream(context, ConnectionLimits(Limits()), send)
        stream.sent = pop(1).cursor
        for at in (1, 2, 2):
            stream.pop = pop(at)
            stream.keepalive()
        while stream.outbox.sending:
            await asyncio.wait([stream.outbox.sending])

    asyncio.run(run())
    assert sent == [b":\n\n", b":\n" + id_line(2) + b"\n", b":\n\n"]
