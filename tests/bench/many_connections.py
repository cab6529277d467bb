"""`python -m tests.bench.many_connections`: intake with one connection against intake with 5,000, side by side.

Every secret is encrypted. Both take the same deliveries in turns, round by round, on a log in memory; what is compared
is processor time, after each connection has had its first delivery.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from crm.connection_secrets import sealed
from crm.contract.codec import encode
from crm.envelope import named_id
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from crm.secret_keys import SecretKeys, new_key
from services.connectors import CONNECTORS
from services.intake.app import Intake
from tests.support.intake_server import OPEN, meta

MANY, ROUNDS, EACH = 5_000, 40, 500
HEADERS = [(b"content-type", b"application/x-www-form-urlencoded"), (b"x-form-token", b"of-the-bench")]


def access_of(count: int, keys: SecretKeys) -> tuple[Access, Sequence[Id], float]:
    """Returns the directory of so many connections, their ids, and the seconds that it took to read them."""
    ids = [named_id(OPEN, str(number)) for number in range(count)]
    facts = [ConnectionDeclared(meta(id), id, "form", "", f"secret-{id}", {"token": "of-the-bench"}) for id in ids]
    records = [(fact.connection.encode(), encode(sealed(fact, keys))) for fact in facts]
    access, begun = Access(keys), time.process_time()
    for key, value in records:
        access.take(key, value)
    access.complete = True
    return access, ids, time.process_time() - begun


async def post(app: Intake, id: Id, number: int) -> None:
    body = f"name=Olena&phone=%2B38050{number:07d}&comment={number}".encode()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    answers: list[dict[str, Any]] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/in/{id}", "query_string": b"", "scheme": "http"}
    length = (b"content-length", str(len(body)).encode())
    await app({**scope, "headers": [*HEADERS, length], "client": ("127.0.0.1", 1)}, receive, send)
    assert answers[0]["status"] == 200, answers


async def measure() -> dict[str, Any]:
    keys = SecretKeys(new_key())
    apps: dict[int, tuple[Intake, Sequence[Id]]] = {}
    loading: dict[int, float] = {}
    for count in (1, MANY):
        access, ids, loading[count] = access_of(count, keys)
        apps[count] = Intake(access, MemoryLog(), CONNECTORS), ids
    seconds: dict[int, list[float]] = {1: [], MANY: []}
    number = 0
    for app, ids in apps.values():  # the first delivery of a connection reads its settings
        for n in range(MANY):
            await post(app, ids[n % len(ids)], n)
    for turn in range(ROUNDS):
        for count in (1, MANY) if turn % 2 else (MANY, 1):
            app, ids = apps[count]
            begun = time.process_time()
            for n in range(EACH):
                await post(app, ids[(number + n) % len(ids)], number + n)
            seconds[count].append(time.process_time() - begun)
            app.log.records.clear()  # type: ignore[attr-defined]  # the log in memory
        number += EACH
    one, many = (EACH / statistics.median(seconds[count]) for count in (1, MANY))
    return {
        "deliveries_per_cpu_second": {"1": round(one), str(MANY): round(many)},
        "ratio": round(many / one, 3),
        "load_seconds": {"1": round(loading[1], 4), str(MANY): round(loading[MANY], 4)},
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure()), indent=2))
