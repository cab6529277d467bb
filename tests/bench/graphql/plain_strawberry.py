"""A baseline: strawberry with one resolver per field and one dataloader per relation.

Parsing and validation are cached, the server is the same uvicorn, the pool is as large as ours. It answers the same
documents as our API.
"""

import os
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Generic, NewType, TypeVar

import strawberry
import uvicorn
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

T = TypeVar("T")
Row = dict[str, Any]
Long = NewType("Long", int)
POOL: Any = AsyncConnectionPool(
    os.environ.get("DATABASE_URL", ""),
    kwargs={"autocommit": True, "row_factory": dict_row, "options": "-c search_path=rival"},
    min_size=2,
    max_size=int(os.environ.get("POOL", "8")),
    open=False,
)
LATEST = "ORDER BY touched_at DESC, {key} DESC LIMIT %s"
CONTACT = "SELECT * FROM contact WHERE contact_id = %s"
CONTACTS = f"SELECT * FROM contact {LATEST.format(key='contact_id')}"
DEALS = f"SELECT * FROM deal {LATEST.format(key='deal_id')}"
IN_STAGE = f"SELECT * FROM deal WHERE stage = %s {LATEST.format(key='deal_id')}"
OF_EACH = (
    "SELECT r.* FROM unnest(%s::uuid[]) AS k(id) CROSS JOIN LATERAL "
    f"(SELECT * FROM {{table}} WHERE {{parent}} = k.id {LATEST}) AS r"
)


async def rows(statement: str, *values: Any) -> list[Row]:
    async with POOL.connection() as connection:
        found: list[Row] = await (await connection.execute(statement, values)).fetchall()
    return found


def of_each(table: str, parent: str) -> Any:
    """Returns a loader with keys (parent id, first)."""

    async def load(keys: list[tuple[Any, int]]) -> list[list[Row]]:
        first = max(first for _, first in keys) + 1
        groups: dict[Any, list[Row]] = defaultdict(list)
        for row in await rows(
            OF_EACH.format(table=table, parent=parent, key=f"{table}_id"), [id for id, _ in keys], first
        ):
            groups[row[parent]].append(row)
        return [groups[id] for id, _ in keys]

    return DataLoader(load, cache=False)


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo


@strawberry.type
class Money:
    minor: Long
    currency: str


@strawberry.type
class Payment:
    id: strawberry.ID
    amount: Money
    status: str


@strawberry.type
class Deal:
    id: strawberry.ID
    number: Long
    title: str
    stage: str
    amount: Money
    currency: str
    owner: str
    touched_at: datetime

    @strawberry.field
    async def payments(self, info: strawberry.Info, first: int = 20) -> Connection[Payment]:
        return connection(await info.context["payments"].load((self.id, first)), first, payment)


@strawberry.type
class Contact:
    id: strawberry.ID
    name: str
    source: str
    phones: list[str]
    emails: list[str]
    touched_at: datetime

    @strawberry.field
    async def deals(self, info: strawberry.Info, first: int = 20) -> Connection[Deal]:
        return connection(await info.context["deals"].load((self.id, first)), first, deal)


def payment(row: Row) -> Payment:
    return Payment(id=row["payment_id"], amount=money(row), status=row["status"])


def deal(row: Row) -> Deal:
    names = ("number", "title", "stage", "currency", "owner", "touched_at")
    return Deal(id=row["deal_id"], amount=money(row), **{name: row[name] for name in names})


def contact(row: Row) -> Contact:
    names = ("name", "source", "phones", "emails", "touched_at")
    return Contact(id=row["contact_id"], **{name: row[name] for name in names})


def money(row: Row) -> Money:
    return Money(minor=row["amount_minor"], currency=row["currency"])


def connection(found: Sequence[Row], first: int, made: Callable[[Row], T]) -> Connection[T]:
    edges = [Edge(cursor=cursor(row), node=made(row)) for row in found[:first]]
    info = PageInfo(has_next_page=len(found) > first, end_cursor=edges[-1].cursor if edges else None)
    return Connection(edges=edges, nodes=[edge.node for edge in edges], page_info=info)


def cursor(row: Row) -> str:
    key, *_ = row.values()
    return b64encode(f"{row['touched_at'].isoformat()} {key}".encode()).decode()


@strawberry.type
class Query:
    @strawberry.field
    async def contact(self, id: strawberry.ID) -> Contact | None:
        found = await rows(CONTACT, id)
        return contact(found[0]) if found else None

    @strawberry.field
    async def contacts(self, first: int = 20) -> Connection[Contact]:
        return connection(await rows(CONTACTS, first + 1), first, contact)

    @strawberry.field
    async def deals(self, first: int = 20, stage: str | None = None) -> Connection[Deal]:
        found = await (rows(DEALS, first + 1) if stage is None else rows(IN_STAGE, stage, first + 1))
        return connection(found, first, deal)


class Graph(GraphQL[Row, None]):
    async def get_context(self, request: Any, response: Any) -> Row:
        return {"deals": of_each("deal", "contact_id"), "payments": of_each("payment", "deal_id")}


@asynccontextmanager
async def opened(_: Starlette) -> Any:
    await POOL.open()
    yield
    await POOL.close()


if __name__ == "__main__":
    numbers = StrawberryConfig(scalar_map={Long: strawberry.scalar(name="Long", serialize=int, parse_value=int)})
    schema = strawberry.Schema(Query, config=numbers, extensions=[lambda: ParserCache(), lambda: ValidationCache()])
    graph = Graph(schema, graphql_ide=None)
    app = Starlette(routes=[Route("/graphql", graph)], lifespan=opened)
    uvicorn.run(app, port=int(os.environ["PORT"]), log_config=None, access_log=False)
