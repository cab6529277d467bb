"""`search` on real Postgres: alphabets, parts, typos, tenants, and that its indexes are used."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from api.schema import search
from api.schema.search_terms import parse_terms
from crm.adapters.postgres import search_index as finding
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.reader_role import NAME, ROLE
from crm.scalars import Micros
from crm.text.phonetics import COLUMN, key
from projections import PROJECTIONS
from projections.conversation import ConversationRow
from projections.message import MessageRow
from tests.support.graphql_server import ApiServer, api_server
from tests.support.shop_rows import NOON, OTHER, SHOP, contact, deal, id_of, insert
from tests.support.timeouts import TIMEOUT
from tests.support.workload import dataset as people

QUERY = """query ($text: String!, $types: [Findable!], $first: Int! = 10) {
  search(text: $text, types: $types, first: $first) { hasMore hits { exact why rank node {
    __typename ... on Contact { name } ... on Deal { number } ... on Conversation { title } ... on Message { text }
  } } } }
"""


def message(name: str, text: str) -> MessageRow:
    ids = id_of(name), id_of("chat"), id_of("Shevchenko")
    return MessageRow(*ids, name, "Олена", text, (), "", Micros(NOON), None)


ROWS = [
    contact("Олена Шевченко", 9, phones=("+380671112233",), emails=("o.shevchenko@example.ua",)),
    contact("Тарас Шевчук", 8, phones=("+380671112244",)),
    contact("Щербань Їжак", 7),
    contact("Sergey's old card", 6, merged_into=id_of("Сергій Згурський")),
    contact("Сергій Згурський", 5),
    deal(77, 4, title="Стіл дубовий", reference="ORDER-900"),
    ConversationRow(
        id_of("chat"), id_of("Shevchenko"), "telegram", "1", "Ремонт квартири", 1, None, "", *[Micros(NOON)] * 2
    ),
    message("first", "Коли чекати на доставку столу?"),
    message("second", "Дякую, 100% задоволені"),
]


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with pytest.MonkeyPatch.context() as patch, api_server(database_url) as api:
        patch.setattr(search, "PATIENCE", TIMEOUT)  # a busy machine is no slow search
        with psycopg.connect(database_url, autocommit=True) as connection:
            insert(connection, SHOP, *ROWS)
            insert(connection, OTHER, contact("Олена Чужа"), deal(77, title="Стіл чужий"))
        yield api


def hits(api: ApiServer, text: str, **more: Any) -> list[tuple[str, Any, bool]]:
    """What was found, what shows it, whether it is exact."""
    found = api.data(QUERY, text=text, **more)["search"]["hits"]
    return [(*hit["node"].values(), hit["exact"]) for hit in found]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("шевченко олена", "Олена Шевченко"),
        ("Shevchenko", "Олена Шевченко"),
        ("Shevchen", "Олена Шевченко"),
        ("067 111-22-33", "Олена Шевченко"),
        ("+380671112233", "Олена Шевченко"),
        ("671112233", "Олена Шевченко"),
        ("shevchenko@example", "Олена Шевченко"),
        ("Scherban", "Щербань Їжак"),
        ("yizhak", "Щербань Їжак"),
        ("Zghurskyi", "Сергій Згурський"),
        ("Sergey's old", "Сергій Згурський"),
    ],
)
def test_a_contact_is_found_in_any_spelling(api: ApiServer, text: str, name: str) -> None:
    assert hits(api, text, types=["CONTACT"])[0] == ("Contact", name, True)


@pytest.mark.parametrize("text", ["Шевенко", "Shevechenko", "Олена Шевчнко", "shevcenko"])
def test_a_misspelled_name_is_found_and_is_not_exact(api: ApiServer, text: str) -> None:
    assert ("Contact", "Олена Шевченко", False) in hits(api, text, types=["CONTACT"])


def test_exact_hits_come_before_similar_ones(api: ApiServer) -> None:
    assert hits(api, "Шевчук", types=["CONTACT"])[0] == ("Contact", "Тарас Шевчук", True)
    found = hits(api, "Шевч", types=["CONTACT"])
    assert sorted(found) == [("Contact", "Олена Шевченко", True), ("Contact", "Тарас Шевчук", True)]


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("D-77", ("Deal", 77, True)),
        ("77", ("Deal", 77, True)),
        ("дубовий стіл", ("Deal", 77, True)),
        ("stil dub", ("Deal", 77, True)),
        ("дубовой", ("Deal", 77, False)),
        ("order-900", ("Deal", 77, True)),
        ("ремонт", ("Conversation", "Ремонт квартири", True)),
        ("доставка", ("Message", "Коли чекати на доставку столу?", True)),
        ("dostavka stol", ("Message", "Коли чекати на доставку столу?", True)),
        ("100%", ("Message", "Дякую, 100% задоволені", True)),
    ],
)
def test_the_rest_is_found_too(api: ApiServer, text: str, hit: tuple[str, Any, bool]) -> None:
    assert hits(api, text) == [hit]


def test_a_hit_has_its_fields_and_rank_and_says_whether_there_are_more(api: ApiServer) -> None:
    found = api.data(QUERY, text="Шевч", types=["CONTACT"], first=1)["search"]
    assert found["hasMore"] is True
    (hit,) = found["hits"]
    assert hit["why"] == ["name"] or hit["why"] == ["name", "emails"]
    assert 0 < hit["rank"] <= 1
    (hit,) = api.data(QUERY, text="067 111 22 44")["search"]["hits"]
    assert (hit["why"], hit["exact"]) == (["phones"], True)


def test_another_workspace_finds_its_own(api: ApiServer) -> None:
    found = hits(api, "Олена", token="crm_live_other")
    assert sorted(found) == [("Contact", "Olena", True), ("Contact", "Олена Чужа", True)]
    assert hits(api, "D-77", token="crm_live_other") == [("Deal", 77, True)]
    assert hits(api, "Шевченко", token="crm_live_other") == []


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        ("а", {}, "`text` is too short"),
        ("", {}, "`text` is too short"),
        ("x" * 201, {}, "takes up to 200"),
        ("Олена", {"first": 51}, "it takes 1 to 50"),
        ("Олена", {"first": 0}, "it takes 1 to 50"),
        ("D-7", {"types": ["CONTACT"]}, "number of a deal"),
    ],
)
def test_an_invalid_search_says_why(api: ApiServer, text: str, more: dict[str, Any], sentence: str) -> None:
    code, message = api.error(QUERY, text=text, **more)
    assert code == "BAD_INPUT"
    assert sentence in message


@settings(max_examples=60, deadline=None)
@for_any(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
def test_any_text_is_searched_or_refused(api: ApiServer, text: str) -> None:
    answer = api.answer(QUERY, text=text)
    assert "errors" not in answer or answer["errors"][0]["extensions"]["code"] == "BAD_INPUT", answer


@settings(max_examples=200, deadline=None)
@for_any(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=20, max_size=60))
def test_postgres_and_python_make_the_same_key(database_url: str, texts: list[str]) -> None:
    with psycopg.connect(database_url) as connection:
        statement = f"SELECT array_agg({finding.KEY}(t) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY AS u(t, n)"
        assert connection.execute(statement.encode(), [texts]).fetchone() == ([key(text) for text in texts],)


@pytest.fixture(scope="module")
def many(database_url: str) -> str:
    """A database with so many rows that reading all of them costs more than an index."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name, rows in {"contact": people.contacts(4_000), "deal": people.deals(4_000)}.items():
            people.fill(connection, SHOP, name, 4_000, rows)
        people.fill(
            connection, SHOP, "message", 4_000, {"message_id": people.id_of("message"), COLUMN: "' list ' || n"}
        )
        connection.execute("ANALYZE")
    return database_url


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("contact", "Ковальчук 3333"),
        ("contact", "Kovalchk"),
        ("deal", "стол 3999"),
        ("message", "3999"),
    ],
)
def test_an_index_serves_it(many: str, name: str, text: str) -> None:
    terms, projection = parse_terms(text), PROJECTIONS[name]
    scans = f"SELECT pg_stat_get_numscans(to_regclass('read.{projection.table}_{COLUMN}'))"
    with psycopg.connect(many, autocommit=True) as connection:
        connection.execute(NAME, [SHOP])
        connection.execute(f"SET ROLE {ROLE}".encode())
        (before,) = connection.execute(scans.encode()).fetchone() or (0,)
        if projection.found_by:
            connection.execute(
                f"SELECT * FROM find.{name}(%s, %s, %s, 10)".encode(), [SHOP, terms.patterns, list(terms.words)]
            )
        else:
            connection.execute(f"SELECT * FROM find.{name}(%s, %s, 10)".encode(), [SHOP, terms.query])
        connection.execute("SELECT pg_stat_force_next_flush()")
        (after,) = connection.execute(scans.encode()).fetchone() or (0,)
    assert after > before


def test_rows_from_before_the_upgrade_are_indexed(fresh_database_url: str) -> None:
    """An upgrade: the table had no such column, and its rows were written without one."""
    with psycopg.connect(fresh_database_url, autocommit=True) as connection:
        insert(connection, SHOP, *ROWS[:2])
        table = PROJECTIONS["contact"].table
        connection.execute(f"ALTER TABLE read.{table} DROP COLUMN {COLUMN} CASCADE".encode())
        migrate(fresh_database_url, PROJECTIONS.values())
        connection.execute(NAME, [SHOP])
        connection.execute(f"SET ROLE {ROLE}".encode())
        terms = parse_terms("Shevchenko 067 111 22 33")
        found = connection.execute(
            "SELECT id::text FROM find.contact(%s, %s, %s, 10)", [SHOP, terms.patterns[:1], list(terms.words[:1])]
        ).fetchall()
        assert found[0] == (id_of("Олена Шевченко"),)
        theirs = connection.execute(
            "SELECT id FROM find.contact(%s, %s, %s, 10)", [OTHER, terms.patterns[:1], list(terms.words[:1])]
        ).fetchall()
        assert theirs == []  # the session shows another workspace
