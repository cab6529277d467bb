"""Objects of a workspace's own on real Postgres: rows that decisions made, read by every query for them."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from api.sql import objects_by
from crm.adapters.postgres.migrations import migrate
from crm.envelope import Row
from crm.objects import object_id
from crm.scalars import Id
from projections import PROJECTIONS
from projections.object import ObjectRow
from tests.integration.api.sql.test_plan_equals_resolvers import Both
from tests.support.object_scenarios import reported, rows_of
from tests.support.operator_session import operator_session
from tests.support.shop_rows import OLENA_PHONE, SHOP, contact, deal, delete_rows, id_of, insert

SELLER: dict[str, Any] = {
    "key": "seller",
    "label": "Seller",
    "statuses": ["new", "active"],
    "fields": [
        {"key": "rating", "type": "number", "indexed": True},
        {"key": "city", "type": "text", "indexed": True},
        {"key": "since", "type": "date", "indexed": True},
        {"key": "seen", "type": "time", "indexed": True},
        {"key": "trusted", "type": "boolean", "indexed": True},
        {"key": "parent", "type": "relation", "target": "seller", "indexed": True},
        {"key": "owner", "type": "relation", "target": "contact"},
        {"key": "deal", "type": "relation", "target": "deal"},
        {"key": "note", "type": "text"},
    ],
}
RATINGS = {"a": 10, "b": "2.50", "c": -3, "d": "-3.1", "e": 0, "f": 1000, "g": None}
HER_LINKS = {"owner": {"phone": OLENA_PHONE}, "deal": {"number": 7}, "parent": "a"}
OLD_CARD = id_of("Olena's old card")
SELLERS = [
    *(reported(key, n, {"rating": rating, "city": f"City {key.upper()}"}, status="active") for n, (key, rating) in
      enumerate(RATINGS.items())),
    reported("h", 10, HER_LINKS, status="new", title="Ivanna"),
    reported("i", 11, {"owner": {"id": OLD_CARD}, "parent": "h", "trusted": True}),
    reported("j", 12, {"parent": "zz", "since": "2026-01-31", "seen": "2026-01-31T12:00:00+02:00"}),
    reported("k", 13, {"parent": "i"}),
    reported("k", 14, merged_into="h"),
    reported("l", 15, {"parent": "m"}),
    reported("m", 15, {"parent": "l"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def paths(database_url: str) -> Iterator[Both]:
    migrate(database_url, PROJECTIONS.values())
    session = operator_session().do("object_type_define", **SELLER).when(*SELLERS)
    rows: list[Row] = [
        contact("Olena", 3, phones=(OLENA_PHONE,)),
        contact("Olena's old card", 2, merged_into=id_of("Olena")),
        deal(7),
        *(
            replace(row, object_id=object_id(Id(SHOP), row.type, row.key)) if isinstance(row, ObjectRow) else row
            for row in rows_of(session)
        ),
    ]
    with psycopg.connect(database_url, autocommit=True) as connection:
        delete_rows(connection)
        insert(connection, SHOP, *rows)
    paths = Both(database_url)
    yield paths
    paths.close()


def answer(paths: Both, query: str, **variables: Any) -> Any:
    found = paths.answer(query, **variables)
    assert "errors" not in found, found
    return found["data"]


def keys(paths: Both, arguments: str) -> list[str]:
    found = answer(paths, f'{{ objectsBy(type: "seller", {arguments}) {{ nodes {{ key }} totalCount {{ count }} }} }}')
    nodes = [node["key"] for node in found["objectsBy"]["nodes"]]
    assert found["objectsBy"]["totalCount"]["count"] >= len(nodes)
    return nodes


def refusal(paths: Both, query: str) -> str:
    (error,) = paths.answer(query)["errors"]
    assert error["extensions"]["code"] in ("BAD_INPUT", "BAD_CURSOR")
    return str(error["message"])


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('field: "rating"', ["d", "c", "e", "b", "a", "f"]),
        ('field: "rating", descending: true', ["f", "a", "b", "e", "c", "d"]),
        ('field: "rating", gte: 0, lt: "1000"', ["e", "b", "a"]),
        ('field: "rating", gt: -3.1, lte: 2.5', ["c", "e", "b"]),
        ('field: "rating", equals: "2.5"', ["b"]),
        ('field: "rating", anyOf: [10, "1000.00"]', ["a", "f"]),
        ('field: "city", gte: "City C", lt: "City F"', ["c", "d", "e"]),
        ('field: "key", gt: "h"', ["i", "j", "l", "m"]),
        ('field: "trusted", equals: true', ["i"]),
        ('field: "since", gte: "2026-01-01", lt: "2026-02-01"', ["j"]),
        ('field: "seen", equals: "2026-01-31T10:00:00Z"', ["j"]),
        ('field: "parent", equals: "a"', ["h"]),
        ('field: "key", status: "new"', ["h"]),
        ('field: "rating", status: "active", gt: 0, first: 2', ["b", "a"]),
    ],
)
def test_an_indexed_field_gives_ranges_and_an_order(paths: Both, arguments: str, found: list[str]) -> None:
    assert keys(paths, arguments) == found


def test_pages_hold_still_and_cursors_belong_to_their_list(paths: Both) -> None:
    query = """query ($after: String) { objectsBy(type: "seller", field: "rating", first: 2, after: $after)
      { nodes { key } pageInfo { hasNextPage endCursor } } }"""
    seen, after = [], None
    for _ in range(4):
        page = answer(paths, query, after=after)["objectsBy"]
        seen += [node["key"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["d", "c", "e", "b", "a", "f"]
    other = f'{{ objectsBy(type: "seller", field: "city", after: "{after}") {{ nodes {{ key }} }} }}'
    assert refusal(paths, other).startswith("This cursor belongs to another list")


def test_a_walk_for_a_status_goes_on_where_it_ended(paths: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page walks three rows of the index; together they have every object once."""
    monkeypatch.setattr(objects_by, "WALKED", 3)
    query = """query ($after: String) { objectsBy(type: "seller", field: "key", status: "new", first: 2, after: $after)
      { nodes { key } pageInfo { hasNextPage endCursor } } }"""
    pages, after, more = [], None, True
    while more:
        page = answer(paths, query, after=after)["objectsBy"]
        pages.append([node["key"] for node in page["nodes"]])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert pages == [[], [], ["h"], [], []]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            'type: "seller", field: "note"',
            "No index serves the field 'note' of seller; there is one for key, city, parent, rating, seen, since, "
            "trusted. Nothing was read. Make it `indexed` with objectTypeDefine.",
        ),
        (
            'type: "x", field: "key"',
            "No type of objects 'x' is defined. Nothing was read. `objectTypes` lists them.",
        ),
        ('type: "seller", field: "rating", gt: "high"', "`gt` takes a number, as the field does. Nothing was read."),
        (
            'type: "seller", field: "rating", first: 101',
            "`first` is 101; it takes 1 to 100. Read the rest with `after`.",
        ),
    ],
)  # fmt: skip
def test_what_no_index_serves_is_refused_with_what_is_served(paths: Both, arguments: str, sentence: str) -> None:
    assert refusal(paths, f"{{ objectsBy({arguments}) {{ nodes {{ key }} }} }}") == sentence


def test_the_list_is_filtered_by_type_and_status(paths: Both) -> None:
    query = '{ objects(type: "seller", status: "new", orderBy: CREATED_AT_ASC) { nodes { key title status } } }'
    assert answer(paths, query)["objects"]["nodes"] == [{"key": "h", "title": "Ivanna", "status": "new"}]
    assert paths.fast(query) == paths.slow(query)
    assert refusal(paths, "{ objects { nodes { key } } }").startswith("`objects` needs a filter: `type`")
    related = '{ objects(relatedTo: "seller:h") { nodes { key } } }'
    assert answer(paths, related)["objects"]["nodes"] == [{"key": "i"}]


RELATIONS = """{ object(type: "seller", key: "%s") { key mergedKeys
  relations { target object { key } contact { name } deal { number } } relatedObjects { key } } }"""


def test_relations_lead_to_objects_contacts_and_deals(paths: Both) -> None:
    nothing = {"object": None, "contact": None, "deal": None}
    assert answer(paths, RELATIONS % "h")["object"] == {
        "key": "h",
        "mergedKeys": ["seller:k"],
        "relations": [
            {**nothing, "target": "deal:D-7", "deal": {"number": 7}},
            {**nothing, "target": f"phone:{OLENA_PHONE}", "contact": {"name": "Olena"}},
            {**nothing, "target": "seller:a", "object": {"key": "a"}},
        ],
        "relatedObjects": [{"key": "i"}],
    }
    found = answer(paths, RELATIONS % "i")["object"]["relations"]
    assert found[0] == {**nothing, "target": f"contact:{OLD_CARD}", "contact": {"name": "Olena"}}
    missing = answer(paths, RELATIONS % "j")["object"]["relations"]
    assert missing == [{**nothing, "target": "seller:zz"}]


def test_a_merged_object_is_found_by_its_own_key(paths: Both) -> None:
    assert answer(paths, RELATIONS % "k")["object"]["key"] == "h"
    assert answer(paths, '{ object(type: "seller", key: "nobody") { key } }') == {"object": None}
    assert refusal(paths, '{ object(type: "seller") { key } }').startswith("Give either `id`, or `type` and `key`")


def test_a_card_shows_the_objects_that_point_to_it(paths: Both) -> None:
    query = """query ($id: ID!) { contact(id: $id) { objects(type: "seller") { key } }
      deal(number: 7) { objects { key } } }"""
    found = answer(paths, query, id=id_of("Olena"))
    assert found == {"contact": {"objects": [{"key": "h"}, {"key": "i"}]}, "deal": {"objects": [{"key": "h"}]}}
    assert refusal(paths, "{ deal(number: 7) { objects(first: 0) { key } } }").startswith("`first` is 0")


def test_circles_of_relations_end(paths: Both) -> None:
    """Relations are resolved only as deep as a query asks."""
    deep = '{ object(type: "seller", key: "l") { relatedObjects { key relatedObjects { key relations { target } } } } }'
    (other,) = answer(paths, deep)["object"]["relatedObjects"]
    assert other == {"key": "m", "relatedObjects": [{"key": "l", "relations": [{"target": "seller:m"}]}]}


def test_a_type_tells_its_fields_and_a_search_finds_objects(paths: Both) -> None:
    found = answer(paths, '{ objectType(key: "seller") { label statuses fields } objectTypes { nodes { key } } }')
    assert found["objectTypes"]["nodes"] == [{"key": "seller"}]
    assert found["objectType"]["fields"]["rating"] == {
        "label": "rating", "type": "number", "options": [], "required": False, "target": "", "indexed": True,
        "slot": "slot1", "place": 0,
    }  # fmt: skip
    hits = answer(paths, '{ search(text: "ivana", types: [OBJECT]) { hits { why node { ... on Object { key } } } } }')
    assert hits["search"]["hits"] == [{"why": ["title"], "node": {"key": "h"}}]


@pytest.mark.parametrize("column", ["key", *(f"slot{n}" for n in range(1, 9))])
def test_every_page_by_a_field_is_served_by_its_index(paths: Both, column: str) -> None:
    with psycopg.connect(paths.dsn, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off")
        plan = connection.execute(
            f"EXPLAIN SELECT * FROM read.object AS t WHERE t.workspace = '{SHOP}' AND t.type = 'seller' "
            f"AND t.{column} IS NOT NULL AND t.{column} COLLATE \"C\" >= 'a' "
            f"AND (t.{column} COLLATE \"C\", t.object_id) > ('b', '{SHOP}') "
            f'ORDER BY t.{column} COLLATE "C", t.object_id LIMIT 10'.encode()
        ).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert f"{PROJECTIONS['object'].table}_type_{column}" in text and "Sort" not in text, text
