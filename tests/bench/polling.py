"""The poller with many accounts: memory, processor and requests of one process. Kafka and the vendors are in memory."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from crm.connector import Connection
from crm.connector_poll import Poll
from crm.envelope import now
from crm.log import Record
from crm.scalars import Id
from services.connectors import CONNECTORS
from services.polling.accounts import Accounts
from services.polling.schedule import Schedule
from services.polling.turns import Turns
from services.polling.vendor import Vendors
from tests.bench.machine import machine

PAGE = 100  # items a page
SECONDS_TO_ANSWER = 0.2


class CountingLog:
    """Acknowledges everything at once and keeps nothing."""

    def __init__(self) -> None:
        self.records = self.bytes = 0

    def send(self, *records: Record) -> asyncio.Future[None]:
        self.records += len(records)
        self.bytes += sum(len(record.value or b"") for record in records)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def missing(self) -> str | None:
        return None


class Transport(httpx.AsyncBaseTransport):
    """A bank that answers a page of new transactions each time."""

    def __init__(self) -> None:
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        await asyncio.sleep(SECONDS_TO_ANSWER)
        lines = list(transactions(self.requests))
        answer = {
            "status": "SUCCESS",
            "exist_next_page": True,
            "next_page_id": str(self.requests),
            "transactions": lines,
        }
        return httpx.Response(200, content=msgspec.json.encode(answer), headers={"content-type": "application/json"})


def transactions(page: int) -> Iterator[dict[str, Any]]:
    common = {"PR_PR": "r", "FL_REAL": "r", "CCY": "UAH", "TRANTYPE": "C", "AUT_CNTR_NAM": "ФОП Ковальчук О. П."}
    common |= {"DATE_TIME_DAT_OD_TIM_P": "05.10.2026 09:14:00", "OSND": "Оплата за рахунком 1042, без ПДВ", "REFN": "1"}
    for number in range(PAGE):
        yield {"REF": f"R{page}-{number}", "SUM": f"{number}.50", **common}


def bench_polling(accounts: int, seconds: int) -> dict[str, Any]:
    """Returns what `accounts` accounts that always have one more page take for so long, in a process of its own."""
    command = [sys.executable, "-m", __name__, str(accounts), str(seconds)]
    found: dict[str, Any] = msgspec.json.decode(subprocess.check_output(command))
    return found


async def measured(count: int, seconds: int) -> dict[str, Any]:
    log, transport = CountingLog(), Transport()
    vendors = Vendors(now, {}, transport)
    schedule = Schedule(Turns(vendors, log, now), now, at_one_vendor=32)
    accounts = Accounts(CONNECTORS, schedule, now)
    workspace = Id(str(uuid4()))
    before = peak_mb()
    ids = [Id(str(uuid4())) for _ in range(count)]
    accounts.update({id: Connection(id, workspace, "privatbank", f"key {id}") for id in ids}, {})
    for account in accounts.accounts.values():
        assert isinstance(account.poll, Poll)
    began, used = time.monotonic(), time.process_time()
    running = asyncio.create_task(schedule.run())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.wait([running])
    took, processor = time.monotonic() - began, time.process_time() - used
    await vendors.close()
    failing = [account.state.problem for account in accounts.accounts.values() if account.state.failures]
    return {
        "benchmark": "polling",
        "machine": machine(),
        "settings": {"accounts": count, "seconds": seconds, "items_a_page": PAGE, "at_once": schedule.at_once},
        "peak_rss_mb": peak_mb(),
        "peak_rss_before_mb": before,
        "requests_a_second": round(transport.requests / took, 1),
        "facts_a_second": round(log.records / took),
        "processor_share": round(processor / took, 3),
        "accounts_polled": sum(account.state.answered_at is not None for account in accounts.accounts.values()),
        "failing": len(failing),
    }


def peak_mb() -> float:
    """Of this process: getrusage counts the one that started it, too."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(measured(int(sys.argv[1]), int(sys.argv[2])))).decode())
