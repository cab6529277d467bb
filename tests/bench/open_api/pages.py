"""Milliseconds of a page of deals, for each filter with each order, and of totals: one question after the other."""

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.bench.bench_servers import Program
from tests.bench.machine import percentiles
from tests.bench.open_api.deals import BEGAN, SPAN, Case, cases, sorted_as, where
from tests.bench.open_api.streaming_in import ask, graphql_connection
from tests.support.workload.http_client import ConnectionPool

FIRST = 50  # rows of a page
WARM_UP = 10  # questions of each kind that are not counted
PAGE = """query ($where: DealWhere, $after: String) {
  deals(first: %d, after: $after, orderBy: %s, where: $where) {
    nodes { id number title stage owner source amount { minor currency } openedAt touchedAt }
    pageInfo { hasNextPage endCursor } } }"""
TOTALS = {
    "by stage": "dealTotals(by: [STAGE])",
    "by stage and owner": "dealTotals(by: [STAGE, OWNER])",
    "by stage of one owner": 'dealTotals(by: [STAGE], owner: ["owner3@example.com"])',
    "by source and month, of 3 years": "dealTotals(by: [SOURCE], period: MONTH, from: $from, to: $to)",
    "by stage, the lowest and the highest": "dealTotals(by: [STAGE])",
    "by owner and quarter, of 3 years": "dealTotals(by: [OWNER], period: QUARTER, from: $from, to: $to)",
}
ANSWER = "{ from stage owner source count amount { text } paid { text } }"
ENDS = "{ stage count amountMin { text } amountMax { text } }"
Say = Callable[[str], None]


async def pages(api: Program, count: int, questions: int, say: Say) -> dict[str, Any]:
    """Asks `questions` of each kind. Raises RuntimeError when a page has a wrong deal or a wrong order."""
    taken: dict[Case, list[float]] = {}
    async with graphql_connection(api.url, api.token) as pool:
        for case in cases():
            say(f"pages: {case}")
            taken[case] = await timed(pool, case, count, questions)
    return {"pages": list(rows(taken)), "worst_pages": worst(taken)}


async def timed(pool: ConnectionPool, case: Case, count: int, questions: int) -> list[float]:
    """Returns the seconds of each page. Every other one is the page after the page before it, if there is one."""
    dice, document, taken = Random(7), PAGE % (FIRST, case.order), []
    after, conditions, meets = None, *where(case, dice, count)
    for n in range(WARM_UP + questions):
        variables = {"where": conditions, "after": after}
        began = time.perf_counter()
        page = (await ask(pool, document, variables))["deals"]
        if n >= WARM_UP:
            taken.append(time.perf_counter() - began)
        numbers = [node["number"] for node in page["nodes"]]
        if not (all(map(meets, numbers)) and sorted_as(case, numbers, count) and (numbers or after)):
            raise RuntimeError(f"A page of {case} is wrong: {variables} gave the numbers {numbers}")
        after = page["pageInfo"]["endCursor"] if n % 2 == 0 and page["pageInfo"]["hasNextPage"] else None
        if after is None:
            conditions, meets = where(case, dice, count)
    return taken


def rows(taken: dict[Case, list[float]]) -> Iterator[dict[str, Any]]:
    """Yields a row for each pair of the table of filters: the worst p99 of its directions, operators and ranges."""
    for pair in dict.fromkeys(case.pair for case in taken):
        kinds = {case: percentiles(seconds) for case, seconds in taken.items() if case.pair == pair}
        worst = max(kinds, key=lambda case: kinds[case]["p99_ms"])
        every = [second for case in kinds for second in taken[case]]
        yield {
            "order": pair[0],
            "filter": pair[1],
            "kinds": len(kinds),
            "p50_ms": percentiles(every)["p50_ms"],
            "p99_ms": kinds[worst]["p99_ms"],
            "max_ms": percentiles(every)["max_ms"],
            "worst_kind": str(worst),
        }


def worst(taken: dict[Case, list[float]]) -> dict[str, Any]:
    """Returns the kind of question with the highest p99, and the figures of all questions together."""
    kinds = {case: percentiles(seconds) for case, seconds in taken.items()}
    case = max(kinds, key=lambda case: kinds[case]["p99_ms"])
    every = percentiles([second for seconds in taken.values() for second in seconds])
    together = {"all_p50_ms": every["p50_ms"], "all_p99_ms": every["p99_ms"]}
    return {"kind": str(case), "kinds": len(kinds), **kinds[case], **together}


async def totals(api: Program, count: int, questions: int) -> list[dict[str, Any]]:
    """Raises RuntimeError when the deals of a total are not all deals."""
    async with graphql_connection(api.url, api.token) as pool:
        return [await timed_total(pool, name, field, count, questions) for name, field in TOTALS.items()]


async def timed_total(pool: ConnectionPool, name: str, field: str, count: int, questions: int) -> dict[str, Any]:
    span = {"from": BEGAN.isoformat(), "to": BEGAN.replace(year=BEGAN.year + SPAN // (365 * 86_400)).isoformat()}
    variables, given = (span, "query ($from: DateTime!, $to: DateTime!) ") if "$from" in field else ({}, "")
    taken, answer = list[float](), ENDS if "lowest" in name else ANSWER
    for n in range(WARM_UP + questions):
        began = time.perf_counter()
        cells = (await ask(pool, f"{given}{{ {field} {answer} }}", variables))["dealTotals"]
        if n >= WARM_UP:
            taken.append(time.perf_counter() - began)
    counted = sum(cell["count"] for cell in cells)
    if "one owner" not in name and counted != count:
        raise RuntimeError(f"Totals {name} count {counted:,} of {count:,} deals")
    return {"total": name, "cells": len(cells), **percentiles(taken)}
