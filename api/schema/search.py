"""`search`: contacts, deals, conversations and messages by any part of what they are known by, also misspelt."""

import asyncio
from enum import Enum
from functools import reduce
from operator import or_
from typing import Annotated, Any

import strawberry

from api.context import Info
from api.errors import BadInput, TooSlow
from api.schema.fields import Argument, field
from api.schema.names import type_name
from api.schema.nodes import TYPES, declare, many
from api.schema.search_terms import Asked, asked, why
from api.sql.reads import TYPE, Reads
from projections import PROJECTIONS

FINDABLE = {name: p for name, p in PROJECTIONS.items() if p.found_by or p.found_by_words}
Kinds: Any = Enum("Findable", {type_name(name).upper(): name for name in FINDABLE})  # type: ignore[misc]  # a table
Findable: Any = strawberry.enum(Kinds, description="Kinds of what a search finds.")
MOST, USUAL = 50, 10  # hits
PATIENCE = 1.5  # seconds
SHORT = "SELECT '{0}' AS kind, f.* FROM find.{0}(%(workspace)s, %(patterns)s, %(words)s, %(wanted)s) AS f"
LONG = "SELECT '{0}' AS kind, f.* FROM find.{0}(%(workspace)s, %(query)s, %(wanted)s) AS f"
NUMBER = (
    "SELECT 'deal' AS kind, t.deal_id AS id, true AS exact, 1 AS rank, t.touched_at AS at FROM read.deal AS t "
    "WHERE t.workspace = %(workspace)s AND t.number = %(number)s"
)
BEST = "SELECT kind, id, exact, rank FROM ({0}) AS f ORDER BY exact DESC, rank DESC, at DESC, id LIMIT %(wanted)s"
Row = dict[str, Any]
UNION = strawberry.union("Found", description="What a search finds.")
Found: Any = Annotated[reduce(or_, (TYPES[type_name(name)] for name in FINDABLE)), UNION]
TYPES |= {name: type(name, (), {"__module__": __name__}) for name in ("SearchHit", "SearchResults")}
declare(
    "SearchHit",
    "Something that a search found.",
    {"node": Found, "rank": float, "exact": bool, "why": list[str]},
    {
        "rank": strawberry.field(description="How much it is like what was asked, 0 to 1."),
        "exact": strawberry.field(description="Every word is there; false: only something like it, say misspelt."),
        "why": strawberry.field(description="The fields that it was found by."),
    },
)
declare(
    "SearchResults",
    "The best hits of a search.",
    {"hits": many("SearchHit"), "has_more": bool},
    {"has_more": strawberry.field(description="There are more: give more of the name.")},
)


def statement(asked: Asked, kinds: list[str]) -> str:
    """One over all the kinds. Parameters: workspace, wanted, and what was asked."""
    short = [SHORT.format(name) for name in kinds if asked.words and FINDABLE[name].found_by]
    long = [LONG.format(name) for name in kinds if asked.words and FINDABLE[name].found_by_words]
    number = [NUMBER] if asked.number is not None and "deal" in kinds else []
    return BEST.format(" UNION ALL ".join([*number, *short, *long]))


async def search(_: Any, info: Info, text: str, first: int, types: list[Any] | None = None) -> Row:
    """The best hits, those that say it exactly before those that are only like it."""
    if not 1 <= first <= MOST:
        raise BadInput(f"`first` is {first}; it takes 1 to {MOST}. If it is not among them, give more of the name.")
    told = asked(text)
    kinds = [kind.value for kind in types] if types else list(FINDABLE)
    if not told.words and "deal" not in kinds:
        raise BadInput("This is the number of a deal: leave `types` out, or have DEAL among them.")
    reads = info.context.reads
    given = {"patterns": told.patterns, "words": list(told.words), "query": told.query, "number": told.number}
    try:
        async with asyncio.timeout(PATIENCE):
            found = await reads.rows(statement(told, kinds), wanted=first + 1, **given)
    except TimeoutError:
        raise TooSlow(f"This search took more than {PATIENCE:g} s and was stopped. Give more of the name.") from None
    hits: dict[tuple[str, str], Row] = {}
    for hit, row in zip(found, await asyncio.gather(*(node(reads, hit) for hit in found)), strict=True):
        if row is not None:  # of a contact that was merged into another, that one
            told_of = {"rank": hit["rank"], "exact": hit["exact"], "why": why(told, FINDABLE[hit["kind"]], row)}
            hits.setdefault((hit["kind"], row["id"]), {"node": row, **told_of})
    return {"hits": list(hits.values())[:first], "has_more": len(found) > first}


async def node(reads: Reads, hit: Row) -> Row | None:
    kind, id = hit["kind"], hit["id"]
    row = await (reads.card(id) if kind == "contact" else reads.one(kind, id))
    return row and {**row, TYPE: type_name(kind)}


SEARCH = field(
    TYPES["SearchResults"],
    {
        "text": Argument(str, about="Any part of a name, title, phone or e-mail in any alphabet; words; D-7."),
        "types": Argument(list[Findable] | None, None, "All, unless told."),
        "first": Argument(int, USUAL, f"1 to {MOST}."),
    },
    search,
    "The best hits: those that say it exactly before those that are only like it.",
)
