"""Facts a second: accepted and answered; upserts decided and projected; forms during updates; a batch REST loop."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count, cycle, islice
from typing import Any

import msgspec

from tests.bench.end_to_end import Forms
from tests.bench.machine import percentiles
from tests.bench.open_api.lines import TYPE, Rounds
from tests.bench.open_api.posting import ANSWERED, OpenApi, rate
from tests.bench.rebuild import run_module
from tests.support.workload.http_client import ConnectionPool

LINES = 5_000  # of one body
KNOWN = 50_000  # products, and deals, that are updated: at most
UPSERTS = 8_000  # a second: the goal, and so many are sent for each second of the run
UPDATES = 100_000 / 60  # a second, while forms are posted
FORMS = 200  # a second
RECORDS = 60  # of one call of the loop
DEALS = "query ($after: String) { deals(first: 60, after: $after) { nodes { id } pageInfo { endCursor } } }"
BATCH = """mutation ($commands: [BatchCommandInput!]!) {
  batch(commands: $commands) { results { outcome error { message } userErrors { message } } } }"""


async def define_type(api: OpenApi) -> None:
    """Defines the type of the products."""
    file = api.folder / "product.json"
    file.write_text(json.dumps(TYPE))
    before = await api.progress()
    await run_module("services.cli", "object", "define", file, "--data", api.folder)
    await api.caught_up(before, 0)


async def intake(api: OpenApi, seconds: float) -> dict[str, Any]:
    """Facts accepted and answered, of two kinds, for so many seconds each, while all roles work on them."""
    return {kind: await intake_of(api, kind, seconds) for kind in ("form", "product")}


async def intake_of(api: OpenApi, kind: str, seconds: float) -> dict[str, Any]:
    rounds, before, began = api.rounds(kind, LINES, LINES), await api.progress(), time.perf_counter()

    def until_over() -> Iterator[bytes]:
        while time.perf_counter() < began + seconds:
            yield next(rounds.sent)

    facts, taken = await api.post_all(until_over())
    lasted = time.perf_counter() - began
    await api.caught_up(before, facts)
    drained = time.perf_counter() - began
    return {**rate(facts, lasted), **percentiles(taken), "decided_and_projected_per_s": round(facts / drained)}


async def upserts(api: OpenApi, kind: str, seconds: float) -> dict[str, Any]:
    """Makes all keys of a kind, then updates them until every projection has caught up."""
    api.say(f"upserts of known keys: {kind}")
    rounds = api.rounds(kind, min(KNOWN, round(UPSERTS * seconds / 3)), LINES)
    await make_known(api, rounds)
    before, began = await api.progress(), time.perf_counter()
    facts, _ = await api.post_all(rounds.next(round(UPSERTS * seconds)))
    answered = time.perf_counter() - began
    now = await api.caught_up(before, facts)
    lasted = time.perf_counter() - began
    events = {"journal_events": now.journaled - before.journaled}
    return {"keys": rounds.known, **rate(facts, lasted), "answered_s": round(answered, 2), **events}


async def make_known(api: OpenApi, rounds: Rounds) -> None:
    before = await api.progress()
    facts, _ = await api.post_all(rounds.next(rounds.known))
    await api.caught_up(before, facts)


async def forms_during_updates(api: OpenApi, seconds: int) -> dict[str, Any]:
    """Form to subscription for so many seconds without updates of products, then with them, a body each second."""
    rounds = api.rounds("product", min(KNOWN, round(UPDATES * seconds)), round(UPDATES))
    await make_known(api, rounds)
    address = f"{api.stack.intake_url}/in/{api.demo.form}"
    found, updates = {}, 0
    async with Forms(address, api.stack.graphql_url, api.demo.token) as forms:
        for name in ("without", "with"):
            began, before = time.perf_counter(), await api.progress()
            steady = asyncio.create_task(forms.keep_posting(FORMS, lambda passed: passed >= seconds))
            if name == "with":
                updates = await each_second(api, islice(rounds.sent, seconds))
            await steady
            now = await api.progress()
            await forms.settled()
            found[name] = forms.figures(began) | {"events_behind_at_the_end": now.journaled - now.projected}
            await api.caught_up(before, 0)
    ratio = found["with"]["visible_ms"]["p99_ms"] / found["without"]["visible_ms"]["p99_ms"]
    return {**found, "updates": updates, "seconds": seconds, "p99_with_to_without": round(ratio, 2)}


async def each_second(api: OpenApi, bodies: Iterator[bytes]) -> int:
    """Posts a body each second. Returns the number of facts."""
    began, facts = time.perf_counter(), 0
    for n, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, began + n - time.perf_counter()))
        facts += await api.post(body)
    return facts


async def batch_loop(api: OpenApi, seconds: float) -> dict[str, Any]:
    """A client that changes the same deals by mutations, 60 in a call, one call after the other."""
    async with graphql_connection(api.stack.graphql_url, api.demo.token) as pool:
        deals = [id async for id in deal_ids(pool)]
        turn, numbers, records = cycle(deals), count(), 0
        began = time.perf_counter()
        while (lasted := time.perf_counter() - began) < seconds:
            commands = [change(id, next(numbers)) for id in islice(turn, RECORDS)]
            results = (await ask(pool, BATCH, {"commands": commands}))["batch"]["results"]
            if wrong := [result for result in results if result["outcome"] != "DONE"]:
                raise RuntimeError(f"A command of the loop was not done: {wrong[0]}")
            records += len(results)
    return {"deals": len(deals), "records_a_call": RECORDS, **rate(records, lasted)}


@asynccontextmanager
async def graphql_connection(url: str, token: str) -> AsyncIterator[ConnectionPool]:
    """Opens one connection to GraphQL, which carries one request after the other."""
    headers = f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
    pool = ConnectionPool(url, 1, headers, ANSWERED)
    await pool.open()
    try:
        yield pool
    finally:
        pool.close()


def change(deal: str, n: int) -> dict[str, Any]:
    """Returns the command that changes what a line of `lines.deal` changes."""
    changed = {"title": f"Замовлення {n}", "amount": {"minor": n + 1}, "reference": f"LOOP-{n}"}
    return {"key": f"loop-{n}", "dealChange": {"dealId": deal, **changed}}


async def deal_ids(pool: ConnectionPool) -> Any:
    """Yields the ids of up to 3,000 deals."""
    after = None
    for _ in range(50):
        page = (await ask(pool, DEALS, {"after": after}))["deals"]
        for node in page["nodes"]:
            yield node["id"]
        if (after := page["pageInfo"]["endCursor"]) is None:
            return


async def ask(pool: ConnectionPool, query: str, variables: dict[str, Any]) -> Any:
    """Returns the data. Raises RuntimeError with the errors."""
    answer = msgspec.json.decode((await pool.post(msgspec.json.encode({"query": query, "variables": variables}))).body)
    if "errors" in answer:
        raise RuntimeError(f"GraphQL answered {answer['errors']}")
    return answer["data"]
