"""The load against an intake that refuses, cuts and forgets to answer: each fact is acknowledged once, none is lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from crm.envelope import named_id
from crm.errors import Broken
from crm.scalars import Id
from tests.chaos.load import Load
from tests.support.timeouts import TIMEOUT
from tests.support.workload.deliveries import Tenant

ROOT = Id("0a4e0a7c-6a0f-4f0e-8a42-5b0f6b8b7f10")
TENANTS = [Tenant(named_id(ROOT, f"shop {n}"), f"token {n}", named_id(ROOT, f"form {n}")) for n in (1, 2)]
OK = "HTTP/1.1 200 OK\r\n"
Answers = Callable[[str, bytes], str | None]  # the head of what is answered to a path and body; None cuts


class Intake:
    """Counts what was sent and what was acknowledged."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.sent, self.acked = answers, Counter[bytes](), Counter[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ")[1]
                body = await reader.readexactly(int(head.lower().partition("content-length: ")[2].partition("\r")[0]))
                facts = body.split(b"\n") if path == "/facts" else [body]
                self.sent.update(facts)
                answer = self.answers(path, body)
                if answer is None:
                    return
                said = b""
                if answer == OK:
                    self.acked.update(facts)
                    if path == "/facts":
                        verdicts = (f'{{"status":"accepted","id":"{named_id(ROOT, repr(fact))}"}}' for fact in facts)
                        said = "\n".join(verdicts).encode()
                writer.write(f"{answer}Content-Length: {len(said)}\r\n\r\n".encode() + said)
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()


def loaded(
    answers: Answers, during: Callable[[Intake, Load], Awaitable[None]], facts: int = 400
) -> tuple[Intake, Load]:
    """Runs a load on a fake intake with two addresses; nothing listens on the first."""

    async def played() -> tuple[Intake, Load]:
        intake = Intake(answers)
        server = await asyncio.start_server(intake.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        load = Load(["http://127.0.0.1:1", f"http://127.0.0.1:{port}"], TENANTS, 4000, facts, "a load")
        try:
            await asyncio.wait_for(during(intake, load), TIMEOUT)
        finally:
            server.close()
            await server.wait_closed()
        return intake, load

    return asyncio.run(played())


async def to_the_end(intake: Intake, load: Load) -> None:
    await load.run()


def test_what_is_refused_or_cut_is_sent_again_until_it_is_acknowledged() -> None:
    turns = iter(range(1_000_000))

    def answers(path: str, body: bytes) -> str | None:
        turn = next(turns) % 4
        return {0: "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n", 1: None}.get(turn, OK)

    intake, load = loaded(answers, to_the_end)
    assert load.acked == 400 == len(intake.acked)
    assert {*intake.sent} == {*intake.acked}
    assert load.refused > 0 < load.cut
    assert load.waiting == 0


def test_a_steady_intake_is_sent_each_fact_once_but_for_the_vendors_own_repeats() -> None:
    intake, load = loaded(lambda path, body: OK, to_the_end)
    assert (load.acked, load.refused) == (400, 0)
    repeats = sum(intake.sent.values()) - 400
    assert 0 < repeats < 40


def test_what_is_not_taken_waits_and_is_bounded() -> None:
    """An intake that takes nothing is not sent to forever: three seconds of load, and no more."""
    most = 3 * 4000
    seen: list[int] = []
    full = asyncio.Event()

    async def until_it_is_full(intake: Intake, load: Load) -> None:
        def refuse(path: str, body: bytes) -> str:
            seen.append(load.waiting)
            if sum(waiting >= most for waiting in seen) == 50:
                full.set()
            return "HTTP/1.1 503 Service Unavailable\r\n"

        intake.answers = refuse
        running = asyncio.create_task(load.run())
        await full.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    _, load = loaded(lambda path, body: None, until_it_is_full, facts=100_000)
    assert most <= max(seen) < most + 4000 * 0.1
    assert load.acked == 0


def test_a_good_delivery_that_is_refused_for_good_stops_the_load() -> None:
    with pytest.raises(Broken, match="Intake answered 404 to a good delivery"):
        loaded(lambda path, body: "HTTP/1.1 404 Not Found\r\n", to_the_end)
