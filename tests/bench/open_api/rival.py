"""The same filtered and sorted questions to our API and to PostGraphile, on a plain table with equal indexes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.bench.bench_servers import BenchServers, Program
from tests.bench.graphql.queries import Query
from tests.bench.graphql.run import AHEAD, one
from tests.bench.graphql.wrk import Load
from tests.bench.open_api.deals import DEALS, KEYS, Case, cases, where
from tests.bench.open_api.pages import FIRST

COLUMNS = (
    "deal_id, contact_id, number, title, amount_minor, currency, stage, owner, source, reference, opened_at, "
    "touched_at, closed_at"
)
OURS = """query ($where: DealWhere) { deals(first: %d, orderBy: %s, where: $where) {
  nodes { id number title stage owner source amount { minor } currency touchedAt }
  pageInfo { hasNextPage endCursor } } }"""
THEIRS = """query ($where: DealFilter) { deals: allDeals(first: %d, orderBy: [%s], filter: $where) {
  nodes { id: dealId number title stage owner source amountMinor currency touchedAt }
  pageInfo { hasNextPage endCursor } } }"""
COMPARISONS = {"eq": "equalTo", "in": "in", "gte": "greaterThanOrEqualTo"}
CONDITIONS = 200  # of a question, asked in turn
Say = Callable[[str], None]


@dataclass(frozen=True)
class Question(Query):
    """A question with a document and variables for each server."""

    documents: Mapping[str, str] = field(default_factory=dict)
    of_server: Mapping[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)

    def bodies(self, server: str) -> list[dict[str, Any]]:
        return [{"query": self.documents[server], "variables": variables} for variables in self.of_server[server]]


def copy(conn: psycopg.Connection[Any]) -> None:
    """Copies the deals into a plain table without workspaces, with the indexes that our orders have."""
    known = set(COLUMNS.split(", "))
    conn.execute("CREATE SCHEMA rival")
    conn.execute(f"CREATE TABLE rival.deal AS SELECT {COLUMNS} FROM read.deal".encode())
    required = ", ".join(f"ALTER {name} SET NOT NULL" for name in sorted(known))
    conn.execute(f"ALTER TABLE rival.deal ADD PRIMARY KEY (deal_id), {required}".encode())
    for declared in DEALS.indexes:
        if known.issuperset(name.strip() for name in declared.split(",")):
            conn.execute(f"CREATE INDEX ON rival.deal ({declared}, deal_id)".encode())
    conn.execute("VACUUM ANALYZE rival.deal")


def questions(count: int) -> Iterator[Question]:
    """Yields a question for each filter that does not find few rows, with each order, with and without a range."""
    for case in cases():
        others = {"contact_id", "reference", *KEYS}  # custom fields: PostGraphile has no filters within JSON
        if case.operator in ("", "eq") and not {*case.fields, case.ranged} & others and newest(case):
            dice = Random(7)
            conditions = [where(case, dice, count)[0] for _ in range(CONDITIONS)]
            ours = tuple({"where": given} for given in conditions)
            theirs = tuple({"where": translated(given)} if given else {} for given in conditions)
            documents = {"potik": OURS % (FIRST, case.order), "postgraphile": THEIRS % (FIRST, order(case))}
            variables = {"potik": ours, "postgraphile": theirs}
            yield Question(str(case), "", ours, documents=documents, of_server=variables)


def newest(case: Case) -> bool:
    return case.order.endswith("DESC")


def order(case: Case) -> str:
    """Returns the order in PostGraphile's words."""
    by = {"CREATED_AT_DESC": "OPENED_AT_DESC", "AMOUNT_DESC": "CURRENCY_DESC, AMOUNT_MINOR_DESC"}
    return f"{by.get(case.order, case.order)}, DEAL_ID_DESC"


def translated(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns conditions in the words of PostGraphile's filters. An amount is within its currency, as ours is."""
    found: dict[str, Any] = {}
    for name, comparisons in given.items():
        if name == "amount":
            minor = {COMPARISONS[word]: text.replace(".", "") for word, text in comparisons.items()}
            found |= {"currency": {"equalTo": "UAH"}, "amountMinor": minor}
        elif name == "number":
            found[name] = {COMPARISONS[word]: str(value) for word, value in comparisons.items()}
        else:
            found[name] = {COMPARISONS[word]: value for word, value in comparisons.items()}
    return found


async def compare(
    servers: BenchServers, programs: tuple[Program, Program], folder: Path, count: int, seconds: int, say: Say
) -> list[dict[str, Any]]:
    """Compares some answers, then measures. Raises RuntimeError when two answers differ."""
    load = Load(seconds)
    return [await one(question, programs, folder, load, say) for question in questions(count)]


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the lowest, the middle and the highest ratio."""
    ratios = sorted(row["times_postgraphile"] for row in rows)
    return {
        "questions": len(rows),
        "times_lowest": ratios[0],
        "times_median": ratios[len(ratios) // 2],
        "times_highest": ratios[-1],
        "questions_met": sum(row["goals_met"] for row in rows),
        "goal": AHEAD,
    }
