"""The role on real Kafka, with a vendor on real HTTP."""

import asyncio
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import msgspec
import pytest

from crm.adapters.kafka.reading import open_consumer
from crm.contract.codec import decode
from crm.facts import ConnectionPolled, PaymentReported
from crm.scalars import Id
from crm.secret_keys import SecretKeys, new_key
from crm.topics import CURSORS, INTAKE
from services.polling.cursors import Cursors
from services.stack.access import declare_connection
from services.stack.topics import create_missing
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

LINES = 25  # transactions, ten a page
PAGE = 10
KEY = new_key()


def transaction(number: int) -> dict[str, str]:
    return {
        "REF": f"R{number}",
        "REFN": "1",
        "PR_PR": "r",
        "FL_REAL": "r",
        "CCY": "UAH",
        "SUM": f"{number}.50",
        "TRANTYPE": "C",
        "DATE_TIME_DAT_OD_TIM_P": "05.10.2026 09:14:00",
    }


class Bank(BaseHTTPRequestHandler):
    """Pages of ten; the first repeats an entry of itself."""

    def do_GET(self) -> None:
        begin = int(self.path.partition("followId=")[2] or 0)
        lines = [transaction(n) for n in (begin, *range(begin, min(begin + PAGE, LINES)))]
        more = begin + PAGE < LINES
        answer = {"status": "SUCCESS", "exist_next_page": more, "next_page_id": begin + PAGE, "transactions": lines}
        body = msgspec.json.encode(answer)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def bank() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bank)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def poller(bootstrap: str, bank: str, module: str = "services.polling") -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP": bootstrap,
        "CRM_VENDOR_URL_PRIVATBANK": bank,
        "CRM_SECRETS_KEY": KEY,
    }
    process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(TIMEOUT)


async def payments_of(bootstrap: str, connection: Id, complete: bool) -> list[str]:
    """The ids of a connection's payments as they were written, once its turn is `complete`, or all that there are."""
    topics = [INTAKE["banking"].name, CURSORS.name]
    found: list[str] = []
    async with asyncio.timeout(TIMEOUT), open_consumer(bootstrap, *topics, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        done = False
        while not done:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    fact = decode(record.value)
                    if fact.meta.source == connection and isinstance(fact, PaymentReported):
                        found.append(fact.meta.id)
                    if fact.meta.source == connection and isinstance(fact, ConnectionPolled):
                        done = done or (complete and fact.complete_at is not None)
            if not complete:
                done = all([await consumer.position(tp) >= end for tp, end in ends.items()])
    return found


def test_a_kill_between_the_facts_and_their_cursor_loses_nothing_and_counts_nothing_twice(
    kafka_bootstrap: str, bank: str
) -> None:
    asyncio.run(create_missing(kafka_bootstrap))
    workspace = Id(str(uuid4()))
    connection = asyncio.run(
        declare_connection(kafka_bootstrap, workspace, "privatbank", "Bank", "token-1", keys=SecretKeys(KEY))
    )
    with poller(kafka_bootstrap, bank, "tests.support.dying_poller") as dying:
        assert dying.wait(TIMEOUT) == -9
    before = asyncio.run(payments_of(kafka_bootstrap, connection, complete=False))
    assert len(before) == len(set(before)) == PAGE, "the first page is there, its repeated entry once"
    with poller(kafka_bootstrap, bank) as working:
        after = asyncio.run(payments_of(kafka_bootstrap, connection, complete=True))
        assert working.poll() is None
    assert len(set(after)) == LINES
    assert Counter(after).most_common(1)[0][1] == 2 and len(after) == LINES + PAGE, "the page was asked for again"
    assert set(before) <= set(after)


def test_replicas_share_the_connections_and_take_over_from_one_that_goes(kafka_bootstrap: str) -> None:
    async def test() -> None:
        await create_missing(kafka_bootstrap)
        everything = set(range(CURSORS.partitions))
        changed = asyncio.Event()
        first, second = Cursors(changed.set), Cursors(changed.set)

        async def until(what: object) -> None:
            async with asyncio.timeout(TIMEOUT):
                while not what():  # type: ignore[operator]  # a lambda
                    await changed.wait()
                    changed.clear()

        one = asyncio.create_task(first.follow(kafka_bootstrap))
        await until(lambda: first.owned == everything)
        other = asyncio.create_task(second.follow(kafka_bootstrap))
        await until(lambda: second.owned and first.owned and first.owned | second.owned == everything)
        assert not first.owned & second.owned
        one.cancel()
        await asyncio.wait([one])
        await until(lambda: second.owned == everything)
        other.cancel()
        await asyncio.wait([other])

    asyncio.run(test())
