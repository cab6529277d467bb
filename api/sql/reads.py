"""Reads rows of a request's workspace for resolvers, shaped for GraphQL."""

import asyncio
from dataclasses import replace
from typing import Any

import psycopg
from msgspec import json
from strawberry.dataloader import DataLoader

from api.errors import TooCommon, TooMuch, Unavailable
from api.schema.filters import text_of
from api.schema.lists import List, named_filters
from api.schema.names import UNLISTED, camel, type_name
from api.schema.scalars import Money
from api.sql import statements as sql
from api.sql.cursors import Order
from api.sql.custom_fields import PageSource, too_common
from api.sql.database import rows
from api.sql.plan.rows import MERGES
from api.sql.pool import Pool
from crm.connector import HOME
from crm.projection import Projection
from crm.scalars import Id
from crm.shared import AssignmentRule, Attachment
from projections import PROJECTIONS

FILES, SHARES, RULES = ("attachments", "files"), "shares", "rules"
TYPE = "graphql type"  # key of a row's type; no column has this name
NODES = tuple(name for name in PROJECTIONS if name not in UNLISTED)
Shaped = dict[str, Any]
PAGES = 1_000  # lists that one request may read; nested lists grow fast
COUNTRIES: dict[str, str] = {}  # by workspace


class Reads:
    """The reads of one request. All statements are limited to its workspace."""

    def __init__(self, pool: Pool, workspace: str) -> None:
        self.pool, self.workspace = pool, workspace
        self.pages = self.folded = 0  # folded: events of past rows
        self.one_by_one = asyncio.Lock()  # held while folding
        self.loaders: dict[str, DataLoader[Id, Shaped | None]] = {
            name: DataLoader(self.loading(p), cache=False) for name, p in PROJECTIONS.items()
        }

    async def rows(self, statement: str, **parameters: Any) -> list[Shaped]:
        return await rows(self.pool, statement, {"workspace": self.workspace, **parameters})

    def loading(self, projection: Projection[Any]) -> Any:
        async def load(keys: list[Id]) -> list[Shaped | None]:
            found = {row["id"]: row for row in await self.by_keys(projection, keys)}
            return [found.get(key) for key in keys]

        return load

    async def by_keys(self, projection: Projection[Any], keys: list[Id]) -> list[Shaped]:
        found = await self.rows(sql.by_keys(projection), keys=keys)
        return [shaped(projection, row) for row in found]

    async def one(self, name: str, key: str | None) -> Shaped | None:
        return await self.loaders[name].load(Id(key)) if key else None

    async def surviving_contact(self, key: str | None) -> Shaped | None:
        """Returns the contact, or the one that it was merged into."""
        found = await self.one("contact", key)
        for _ in range(MERGES):
            if found is None or found["merged_into"] is None:
                break
            found = await self.one("contact", found["merged_into"])
        return found

    async def by_column(self, name: str, column: str, value: object) -> Shaped | None:
        found = await self.rows(sql.by_column(PROJECTIONS[name], column), value=value)
        return shaped(PROJECTIONS[name], found[0]) if found else None

    async def only(self, name: str) -> Shaped | None:
        """Returns the one row that a workspace has of this projection."""
        found = await self.rows(sql.only(PROJECTIONS[name]))
        return shaped(PROJECTIONS[name], found[0]) if found else None

    async def caller(self, phone: str) -> Shaped | None:
        found = await self.rows(sql.CALLER, phone=phone)
        return await self.surviving_contact(found[0]["contact_id"]) if found else None

    async def country(self) -> str:
        """Returns the country in which numbers without a country code are read."""
        found = await self.rows(sql.COUNTRY)
        if found:
            COUNTRIES[self.workspace] = str(found[0]["country"])
        return COUNTRIES.get(self.workspace, HOME.country)

    async def open_deals(self, contact: str) -> list[Shaped]:
        """Returns the open deals of a contact, last changed first, at most 20."""
        return [shaped(PROJECTIONS["deal"], row) for row in await self.rows(sql.OPEN_DEALS, contact=contact)]

    async def page(
        self,
        listed: List,
        order: Order,
        given: dict[str, Any],
        size: int,
        backwards: bool = False,
        after: str | None = None,
        before: str | None = None,
        parent: str = "",
    ) -> Shaped:
        """Returns a page as a Relay connection.

        `given`: the filters in use, by name, as SQL parameters. `parent`: the filter that the enclosing row replaces.
        """
        self.pages += 1
        if self.pages > PAGES:
            raise TooMuch(
                f"This operation reads more than {PAGES} lists. Ask for fewer rows, or split it into several requests."
            )
        source = PageSource(listed, order, given, "%(workspace)s", lambda name: f"%({name})s", backwards)
        own = {name: text_of(value) for name, value in given.items() if name != parent}
        tag = order.tag(named_filters(own), given[parent] if parent else "")
        parameters, beyond = {**given, "list_tag": tag}, []
        for name, text in (("after", after), ("before", before)):
            if text:
                position = {f"{name}_{n}": value for n, value in enumerate(order.position(text, tag))}
                beyond.append(order.beyond("t", tuple(f"%({p})s" for p in position), name == "before"))
                parameters |= position

        async def read() -> list[Any]:
            statement = sql.page(order, source.sql(beyond, "%(limit)s"), backwards)
            return await self.rows(statement, limit=size + 1, **parameters)

        try:
            try:
                found = await read()
            except psycopg.errors.UndefinedTable:
                source = replace(source, indexed=False)
                found = await read()
        except TooCommon:
            raise TooCommon(too_common(listed, order)) from None
        except psycopg.errors.UndefinedTable:
            raise Unavailable(
                f"The values of custom fields of `{camel(listed.name)}` are not sorted yet: the read model of this "
                "release is being built, as `crm doctor` shows. Nothing was read; try again later. Until then "
                "`equals` and `in` are served for values that few rows have."
            ) from None
        edges = [{"cursor": row["cursor"], "node": shaped(listed.projection, row)} for row in found[:size]]
        if backwards:
            edges.reverse()

        async def total() -> Shaped:
            (row,) = await self.rows(source.counted(), **given)
            return {"count": min(row["n"], sql.COUNTED), "capped": row["capped"]}

        return {
            "edges": edges,
            "nodes": [edge["node"] for edge in edges],
            "page_info": {
                "has_next_page": bool(before) if backwards else len(found) > size,
                "has_previous_page": len(found) > size if backwards else bool(after),
                "start_cursor": edges[0]["cursor"] if edges else None,
                "end_cursor": edges[-1]["cursor"] if edges else None,
            },
            "total": total,
        }

    async def node(self, key: str) -> Shaped | None:
        """Returns the row with this id, of any type. Ids are unique among all types."""
        for name in NODES:
            if found := await self.one(name, key):
                return found
        return None


def learn_country(access: Any, workspace: str) -> None:
    """Takes a workspace's country from its newest declaration, if there is one: a command may have changed it."""
    if home := getattr(access, "homes", {}).get(workspace):
        COUNTRIES[workspace] = home.country


def shaped(projection: Projection[Any], row: Shaped) -> Shaped:
    """Returns a row with what GraphQL adds: `id`, amounts as Money, files as objects."""
    added: Shaped = {"id": row[projection.key], TYPE: type_name(projection.name)}
    for name, value in row.items():
        if name.endswith("_minor"):
            added[name.removesuffix("_minor")] = None if value is None else Money(minor=value, currency=row["currency"])
        elif name in FILES:
            added[name] = [json.decode(file, type=Attachment) for file in value]
        elif name == SHARES:
            added[name] = [share_of(json.decode(text), row["currency"]) for text in value]
        elif name == RULES:
            added[name] = [json.decode(text, type=AssignmentRule) for text in value]
    return {**row, **added}


def share_of(share: Any, currency: str) -> Shaped:
    return {"deal_id": share["deal_id"], "amount": Money(minor=share["share_minor"], currency=currency)}
