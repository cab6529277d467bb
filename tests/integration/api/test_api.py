"""GraphQL over real read models in Postgres: pages, filters, relations, the caller, tenants, errors."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from api.sql.reads import COUNTRIES
from tests.support.graphql_server import ApiServer, api_server
from tests.support.shop_rows import NOON, OLENA_PHONE, OTHER, SHOP, contact, id_of, insert
from tests.support.timeouts import TIMEOUT


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


def test_a_deal_is_read_by_id_and_by_number(api: ApiServer) -> None:
    query = """query ($id: ID, $number: Long) { deal(id: $id, number: $number) {
      id number title amount { minor currency text } paid { text } stage owner fields openedAt
      contact { name phones emails openDeals { number } owner }
      timeline { nodes { title } } payments { nodes { status } }
    } }"""
    expected = {
        "id": id_of("deal 7"), "number": 7, "title": "Order 7", "stage": "new", "owner": "taras@shop.ua",
        "amount": {"minor": 20200, "currency": "UAH", "text": "202.00 UAH"}, "paid": {"text": "0.00 UAH"},
        "fields": {"size": "L", "count": 7, "price": 1.10}, "openedAt": "2026-01-01T12:00:00+00:00",
        "contact": {"name": "Olena", "phones": [OLENA_PHONE], "emails": ["olena@example.com"],
                    "openDeals": [{"number": 7}, {"number": 8}], "owner": "taras@shop.ua"},
        "timeline": {"nodes": [{"title": "assigned"}, {"title": "opened"}]},
        "payments": {"nodes": [{"status": "settled"}]},
    }  # fmt: skip
    assert api.data(query, id=id_of("deal 7")) == {"deal": expected}
    assert api.data(query, number=7) == {"deal": expected}
    assert api.error(query) == ("BAD_INPUT", "Give either `id` or `number` to find a deal. Nothing was read.")


def test_pages_follow_each_other_without_gap_or_repeat(api: ApiServer) -> None:
    """Deals 10 and 11 were touched in the same microsecond: the id decides."""
    query = """query ($after: String) { deals(first: 2, after: $after) {
      edges { cursor node { number } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    numbers, after, pages = [], None, 0
    while True:
        page = api.data(query, after=after)["deals"]
        numbers += [edge["node"]["number"] for edge in page["edges"]]
        pages, info = pages + 1, page["pageInfo"]
        assert info["startCursor"] == page["edges"][0]["cursor"] and info["endCursor"] == page["edges"][-1]["cursor"]
        assert info["hasPreviousPage"] is (after is not None)
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
    same_moment = sorted((10, 11), key=lambda n: id_of(f"deal {n}"), reverse=True)
    assert (pages, numbers) == (3, [7, 8, 9, *same_moment])
    assert api.error("query ($after: String) { contacts(after: $after) { nodes { name } } }", after=after) == (
        "BAD_CURSOR",
        "This cursor belongs to another list, order or filter. Use one from an earlier page of this list.",
    )


@pytest.mark.parametrize(
    ("filter", "numbers"),
    [
        ('stage: "won"', [9]),
        ('owner: ""', [8]),
        (f'contact: "{id_of("Olena")}"', [7, 8, 9]),
        ('contact: "no id at all"', []),
        ('field: [{name: "count", equals: 7}]', [7]),
        ('field: [{name: "count", equals: "7"}]', [10]),
        ('field: [{name: "count", equals: 7}, {name: "size", equals: "M"}]', []),
        ('field: [{name: "price", equals: 1.1}]', [7]),
    ],
)
def test_deals_are_filtered(api: ApiServer, filter: str, numbers: list[int]) -> None:
    page = api.data(f"{{ deals({filter}) {{ nodes {{ number }} }} }}")
    assert [node["number"] for node in page["deals"]["nodes"]] == numbers


def test_a_custom_number_keeps_its_digits(api: ApiServer) -> None:
    """1.10 went through a float once and came back as 1.1."""
    answer = api.post({"query": "{ deal(number: 7) { fields } }"})
    assert '"price": 1.10' in answer.text


def test_a_cards_history_is_also_that_of_the_cards_merged_into_it(api: ApiServer) -> None:
    query = """query ($id: ID!) { contact(id: $id) { mergedInto timeline(first: 4) { nodes { title } }
      deals { nodes { number contact { name } files { name size } } } } }"""
    card = api.data(query, id=id_of("Olena"))["contact"]
    assert [(n["number"], n["contact"]["name"]) for n in card["deals"]["nodes"]] == [
        (7, "Olena"), (8, "Olena"), (9, "Olena"),
    ]  # fmt: skip
    assert card["deals"]["nodes"][1]["files"] == [{"name": "a.pdf", "size": 0}]
    assert [n["title"] for n in card["timeline"]["nodes"]] == ["said", "assigned", "opened", "created"]
    assert api.data(query, id=id_of("Olena's old card"))["contact"]["mergedInto"] == id_of("Olena")


@pytest.mark.parametrize("spelling", ["067 123-45-67", "+38 (067) 1234567", "380671234567"])
def test_a_caller_is_known_in_any_spelling(api: ApiServer, spelling: str) -> None:
    query = "query ($phone: String!) { caller(phone: $phone) { phone contact { name } openDeals { number } owner } }"
    assert api.data(query, phone=spelling)["caller"] == {
        "phone": OLENA_PHONE, "contact": {"name": "Olena"}, "openDeals": [{"number": 7}, {"number": 8}],
        "owner": "taras@shop.ua",
    }  # fmt: skip


def test_a_number_of_a_merged_contact_finds_the_remaining_one_and_an_unknown_number_none(api: ApiServer) -> None:
    query = "query ($phone: String!) { caller(phone: $phone) { phone contact { name } openDeals { number } owner } }"
    assert api.data(query, phone="0501112233")["caller"]["contact"] == {"name": "Olena"}
    nobody = {"contact": None, "openDeals": [], "owner": None}
    assert api.data(query, phone="+380991112233")["caller"] == {"phone": "+380991112233", **nobody}
    assert api.data(query, phone="who?")["caller"] == {"phone": "", **nobody}


def test_payments_and_calls_are_found_by_their_state(api: ApiServer) -> None:
    query = """{ payments(parked: true) { nodes { payment why amount { minor } deal { number } } }
      found: payments(parked: false) { nodes { payment deal { number } } }
      calls(ringing: true) { nodes { call phone contact { name } openDeals { number } owner } }
      ended: calls(ringing: false) { nodes { call } } }"""
    assert api.data(query) == {
        "payments": {"nodes": [{"payment": "lost", "why": "no such deal", "deal": None,
                                "amount": {"minor": 9_007_199_254_740_993}}]},
        "found": {"nodes": [{"payment": "found", "deal": {"number": 7}}]},
        "calls": {"nodes": [{"call": "ring", "phone": OLENA_PHONE, "contact": {"name": "Olena"},
                             "openDeals": [{"number": 7}, {"number": 8}], "owner": "taras@shop.ua"}]},
        "ended": {"nodes": [{"call": call} for call in sorted(("ended", "unended"), key=id_of, reverse=True)]},
    }  # fmt: skip


def test_rows_of_another_workspace_are_not_found(api: ApiServer) -> None:
    query = """query ($id: ID!) { deal(id: $id) { number } deals { nodes { number } }
      timeline(contact: $id) { nodes { title } } contact(id: $id) { name } }"""
    nothing = {"deal": None, "deals": {"nodes": []}, "timeline": {"nodes": []}, "contact": None}
    assert api.data(query, "crm_live_other", id=id_of("deal 7")) == nothing
    assert api.data(query, "crm_live_other", id=id_of("nothing at all")) == nothing
    theirs = '{ caller(phone: "0671234567") { contact { name } openDeals { number } } }'
    assert api.data(theirs, "crm_live_other") == {"caller": {"contact": {"name": "Olena"}, "openDeals": []}}


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ("{ deals(first: 0) { nodes { number } } }", "BAD_INPUT", "`first` is 0"),
        ("{ deals(first: 101) { nodes { number } } }", "BAD_INPUT", "`first` is 101"),
        ('{ deals(after: "?") { nodes { number } } }', "BAD_CURSOR", "This is not a cursor"),
        ('{ deals(stage: "a\\u0000b") { nodes { number } } }', "BAD_INPUT", "Postgres cannot store"),
        ("{ timeline { nodes { title } } }", "BAD_INPUT", "needs a filter"),
        ("{ nonsense }", "BAD_QUERY", "Cannot query field 'nonsense'"),
        ("{ deals(", "BAD_QUERY", "Syntax Error"),
        ("{ deal(number: 9223372036854775808) { number } }", "BAD_QUERY", "signed 64-bit"),
        ("{ " + " ".join(f"a{n}: deal(number: 7) {{ number }}" for n in range(31)) + " }", "TOO_MUCH", "30 aliases"),
        ("{ deals { nodes { number " + "id " * 2001 + "} } }", "BAD_QUERY", "2000 tokens"),
        ("{deal(number: 7)" + "{contact{deals{nodes " * 5 + "{number}" + "}}}" * 5 + "}", "TOO_MUCH", "15 levels deep"),
    ],
)  # fmt: skip
def test_an_unanswerable_query_says_why(api: ApiServer, query: str, code: str, sentence: str) -> None:
    found_code, message = api.error(query)
    assert found_code == code
    assert sentence in message


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (-62_135_596_800_000_000, "0001-01-01T00:00:00+00:00"),
        (-62_135_596_800_000_001, "0001-01-01T00:00:00+00:00"),
        (253_402_300_800_000_000, "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_a_date_outside_the_calendar_does_not_hide_its_list(api: ApiServer, micros: int, shown: str) -> None:
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        insert(connection, OTHER, contact("Absurd", micros - NOON))
    page = api.data("{ contacts { nodes { name touchedAt } } }", "crm_live_other")["contacts"]["nodes"]
    assert {"name": "Absurd", "touchedAt": shown} in page
    assert len(page) == 2


def test_a_bug_is_masked(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(COUNTRIES, SHOP, raising=False)
    monkeypatch.setattr("api.sql.statements.COUNTRY", "SELECT secret FROM nowhere")
    assert api.error('{ caller(phone: "1") { phone } }') == (
        "INTERNAL",
        "Internal error. It is in the server's log. Nothing was changed.",
    )


@pytest.mark.parametrize(
    ("authorization", "status", "code", "sentence"),
    [("", 401, "UNAUTHORIZED", "`crm token create` makes a token"),
     ("Basic abc", 401, "UNAUTHORIZED", "Bearer crm_live"),
     ("Bearer crm_live_x", 401, "UNAUTHORIZED", "unknown"),
     ("Bearer crm_live_w", 403, "FORBIDDEN", "lacks the scope `read`")],
)  # fmt: skip
def test_without_a_valid_token_nothing_is_read(
    api: ApiServer, authorization: str, status: int, code: str, sentence: str
) -> None:
    url, headers = f"http://127.0.0.1:{api.port}/graphql", {"authorization": authorization}
    answer = httpx.post(
        url, json={"query": "{ deals { nodes { number } } }"}, headers=headers, trust_env=False, timeout=TIMEOUT
    )
    assert answer.status_code == status
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": code}
    assert sentence in error["message"]
    assert "data" not in answer.json()


def test_a_body_over_the_limit_is_refused(api: ApiServer) -> None:
    answer = api.post({"query": "{ deals { nodes { number } } }" + " " * 10_000})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (413, {"code": "TOO_LARGE"})


def test_graphiql_loads_files_of_this_server_only(api: ApiServer) -> None:
    url = f"http://127.0.0.1:{api.port}"
    page = httpx.get(f"{url}/graphql", trust_env=False, timeout=TIMEOUT)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self';" in page.headers["content-security-policy"]
    named = [part.split('"')[0] for part in page.text.replace('href="', 'src="').split('src="')[1:]]
    named.remove("data:,")  # no icon, and no request for one
    assert len(named) == 9 and all(name.startswith("/graphiql/") for name in named)
    assert [httpx.get(url + name, trust_env=False, timeout=TIMEOUT).status_code for name in named] == [200] * len(named)
    assert httpx.get(f"{url}/graphiql/../app.py", trust_env=False, timeout=TIMEOUT).status_code == 404


def test_the_health_paths_answer_on_the_main_port(api: ApiServer) -> None:
    url = f"http://127.0.0.1:{api.port}"
    assert [
        httpx.get(f"{url}/{path}", trust_env=False, timeout=TIMEOUT).status_code
        for path in ("livez", "readyz", "metrics")
    ] == [200] * 3
