"""`search`: finds objects by any part of their text, also with typos."""

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
from api.schema.search_terms import SearchTerms, matched_fields, parse_terms
from api.sql.reads import TYPE, Reads
from projections import PROJECTIONS

FINDABLE = {name: p for name, p in PROJECTIONS.items() if p.found_by or p.found_by_words}
Kinds: Any = Enum("Findable", {type_name(name).upper(): name for name in FINDABLE})  # type: ignore[misc]  # a table
Findable: Any = strawberry.enum(Kinds, description="Types of objects that a search finds.")
MAX_HITS, DEFAULT_HITS = 50, 10  # hits
PATIENCE = 1.5  # seconds
SHORT = "SELECT '{0}' AS kind, f.* FROM find.{0}(%(workspace)s, %(patterns)s, %(words)s, %(wanted)s) AS f"
LONG = "SELECT '{0}' AS kind, f.* FROM find.{0}(%(workspace)s, %(query)s, %(wanted)s) AS f"
NUMBER = (
    "SELECT 'deal' AS kind, t.deal_id AS id, true AS exact, 1 AS rank, t.touched_at AS at FROM read.deal AS t "
    "WHERE t.workspace = %(workspace)s AND t.number = %(number)s"
)
BEST = "SELECT kind, id, exact, rank FROM ({0}) AS f ORDER BY exact DESC, rank DESC, at DESC, id LIMIT %(wanted)s"
ABOUT_EXACT = "true: it contains every word. false: it is only similar, such as a typo."
Row = dict[str, Any]
UNION = strawberry.union("Found", description="An object that a search found.")
Found: Any = Annotated[reduce(or_, (TYPES[type_name(name)] for name in FINDABLE)), UNION]
TYPES |= {name: type(name, (), {"__module__": __name__}) for name in ("SearchHit", "SearchResults")}
declare(
    "SearchHit",
    "One hit of a search.",
    {"node": Found, "rank": float, "exact": bool, "why": list[str]},
    {
        "node": strawberry.field(description="The object that was found."),
        "rank": strawberry.field(description="How similar it is to the search text, 0 to 1."),
        "exact": strawberry.field(description=ABOUT_EXACT),
        "why": strawberry.field(description="Names of the fields that match."),
    },
)
declare(
    "SearchResults",
    "The best hits of a search.",
    {"hits": many("SearchHit"), "has_more": bool},
    {
        "hits": strawberry.field(description="The hits, best first."),
        "has_more": strawberry.field(description="There are more hits; refine the search text to see them."),
    },
)


def statement(terms: SearchTerms, kinds: list[str]) -> str:
    """Returns one statement over all kinds. Parameters: workspace, wanted, and the search terms."""
    short = [SHORT.format(name) for name in kinds if terms.words and FINDABLE[name].found_by]
    long = [LONG.format(name) for name in kinds if terms.words and FINDABLE[name].found_by_words]
    number = [NUMBER] if terms.number is not None and "deal" in kinds else []
    return BEST.format(" UNION ALL ".join([*number, *short, *long]))


async def search(_: Any, info: Info, text: str, first: int, types: list[Any] | None = None) -> Row:
    """Returns the best hits, exact ones before similar ones."""
    if not 1 <= first <= MAX_HITS:
        raise BadInput(f"`first` is {first}; it takes 1 to {MAX_HITS}. Refine `text` to find other hits.")
    terms = parse_terms(text)
    kinds = [kind.value for kind in types] if types else list(FINDABLE)
    if not terms.words and "deal" not in kinds:
        raise BadInput("`text` is the number of a deal. Leave `types` out, or include DEAL.")
    reads = info.context.reads
    given = {"patterns": terms.patterns, "words": list(terms.words), "query": terms.query, "number": terms.number}
    try:
        async with asyncio.timeout(PATIENCE):
            found = await reads.rows(statement(terms, kinds), wanted=first + 1, **given)
    except TimeoutError:
        raise TooSlow(f"The search was stopped after {PATIENCE:g} s. Refine `text`.") from None
    hits: dict[tuple[str, str], Row] = {}
    for hit, row in zip(found, await asyncio.gather(*(node(reads, hit) for hit in found)), strict=True):
        if row is not None:  # a merged contact gives the one it was merged into
            why = matched_fields(terms, FINDABLE[hit["kind"]], row)
            details = {"rank": hit["rank"], "exact": hit["exact"], "why": why}
            hits.setdefault((hit["kind"], row["id"]), {"node": row, **details})
    return {"hits": list(hits.values())[:first], "has_more": len(found) > first}


async def node(reads: Reads, hit: Row) -> Row | None:
    kind, id = hit["kind"], hit["id"]
    row = await (reads.surviving_contact(id) if kind == "contact" else reads.one(kind, id))
    return row and {**row, TYPE: type_name(kind)}


SEARCH = field(
    TYPES["SearchResults"],
    {
        "text": Argument(
            str, about="Part of a name, title, phone number or e-mail, words of a message, or a deal's number, as D-7."
        ),
        "types": Argument(list[Findable] | None, None, "Only objects of these types. Default: all types."),
        "first": Argument(int, DEFAULT_HITS, f"How many hits to return, 1 to {MAX_HITS}."),
    },
    search,
    "Searches contacts, deals, conversations, messages, notes, objects and tasks, also with typos and in another "
    "alphabet. Exact hits come first.",
)
