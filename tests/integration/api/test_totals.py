"""`dealTotals` on real Postgres: exact values, any span in any zone, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import psycopg
import pytest

from api.errors import TooSlow
from crm.envelope import Row
from crm.moments import micros
from crm.scalars import Micros
from projections.conversation import ConversationRow
from tests.support.graphql_server import ApiServer, api_server
from tests.support.shop_rows import NOON, call, deal, id_of, payment
from tests.support.total_rows import fill, opened, shop

FROM, TO = "2026-01-01T00:00:00+02:00", "2026-04-01T00:00:00+03:00"


ROWS: list[Row] = [
    shop("Europe/Kyiv"),
    opened(1, "2026-01-31T21:59:59.999999+00:00", amount_minor=100, paid_minor=40),  # still January in Kyiv
    opened(2, "2026-01-31T22:00:00+00:00", amount_minor=200, source="call"),  # February there
    opened(3, "2026-02-15T12:00:00+00:00", amount_minor=300, currency="EUR", owner="anna"),
    opened(4, "2026-02-16T12:00:00+00:00", amount_minor=400, stage="won", paid_minor=400, owner="anna"),
    opened(5, "2026-03-31T20:59:00+00:00", amount_minor=500, stage="won"),  # March, in summer time
    opened(6, "2026-03-31T21:00:00+00:00", amount_minor=600, stage="won"),  # April
]


@pytest.fixture(scope="module")
def api_(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


@pytest.fixture
def api(api_: ApiServer) -> ApiServer:
    fill(api_, *ROWS)
    return api_


def money(*texts: str) -> list[dict[str, str]]:
    return [{"text": text} for text in texts]


def test_the_pipeline_by_stage(api: ApiServer) -> None:
    found = api.data("{ dealTotals(by: [STAGE]) { stage owner from to count amount { text } paid { text } } }")
    nothing = {"owner": None, "from": None, "to": None}
    paid = money("0.00 EUR", "0.40 UAH")
    new = {"stage": "new", "count": 3, "amount": money("3.00 EUR", "3.00 UAH"), "paid": paid, **nothing}
    won = {"stage": "won", "count": 3, "amount": money("15.00 UAH"), "paid": money("4.00 UAH"), **nothing}
    assert found["dealTotals"] == [new, won]


def test_groups_and_filters_go_together_as_declared(api: ApiServer) -> None:
    query = '{ dealTotals(by: [OWNER, STAGE], owner: ["anna", "nobody"], stage: ["won"]) { owner stage count } }'
    assert api.data(query)["dealTotals"] == [{"owner": "anna", "stage": "won", "count": 1}]
    assert api.data("{ dealTotals { count stage } }")["dealTotals"] == [{"count": 6, "stage": None}]
    assert api.data('{ dealTotals(stage: ["lost"]) { count } }')["dealTotals"] == []
    assert api.data("{ dealTotals(by: [SOURCE]) { source count } }")["dealTotals"] == [
        {"source": "call", "count": 1},
        {"source": "form", "count": 5},
    ]


REVENUE = """query ($from: DateTime, $to: DateTime, $period: Period) {
  dealTotals(by: [SOURCE], period: $period, from: $from, to: $to) { from to source count paid { text } } }"""


def test_revenue_by_month_and_source_in_the_workspaces_months(api: ApiServer) -> None:
    """The first and the last minute of a month belong to it, also where a clock was put forward between."""
    found = api.data(REVENUE, **{"from": FROM, "to": TO}, period="MONTH")["dealTotals"]
    january = {"from": FROM, "to": "2026-02-01T00:00:00+02:00"}
    february = {"from": "2026-02-01T00:00:00+02:00", "to": "2026-03-01T00:00:00+02:00"}
    march = {"from": "2026-03-01T00:00:00+02:00", "to": TO}
    assert found == [
        {**january, "source": "form", "count": 1, "paid": money("0.40 UAH")},
        {**february, "source": "call", "count": 1, "paid": money("0.00 UAH")},
        {**february, "source": "form", "count": 2, "paid": money("0.00 EUR", "4.00 UAH")},
        {**march, "source": "form", "count": 1, "paid": money("0.00 UAH")},
    ]


def test_the_lowest_and_the_highest_are_the_ends_of_an_index(api: ApiServer) -> None:
    found = api.data("{ dealTotals(by: [STAGE]) { stage ...ends } } fragment ends on DealTotal { "
                     "amountMin { text } amountMax { text } }")  # fmt: skip
    assert found["dealTotals"] == [
        {"stage": "new", "amountMin": money("3.00 EUR", "1.00 UAH"), "amountMax": money("3.00 EUR", "2.00 UAH")},
        {"stage": "won", "amountMin": money("4.00 UAH"), "amountMax": money("6.00 UAH")},
    ]
    found = api.data('{ dealTotals(by: [STAGE], stage: ["won"]) { amountMax { text } } }')["dealTotals"]
    assert found == [{"amountMax": money("6.00 UAH")}]
    found = api.data("{ dealTotals { amountMin { text } } }")["dealTotals"]
    assert found == [{"amountMin": money("3.00 EUR", "1.00 UAH")}]


@pytest.mark.parametrize("arguments", ["by: [OWNER]", 'stage: ["won"]', "by: [SOURCE], period: MONTH"])
def test_ends_that_no_index_has_are_refused(api: ApiServer, arguments: str) -> None:
    code, said = api.error(f"{{ dealTotals({arguments}) {{ amountMin {{ text }} }} }}")
    assert (code, said) == (
        "BAD_INPUT",
        "No index has `amountMin` or `amountMax` of this total. Nothing was read. They are served by nothing or "
        "`stage`, without a time, and with filters by the groups only.",
    )


def test_what_was_won_and_lost_by_owner_and_month(api: ApiServer) -> None:
    """A deal that is open has no month; the untimed total of the same groups counts it all the same."""
    at = micros(datetime(2026, 2, 28, 22, 30, tzinfo=UTC))  # March in Kyiv
    won, lost = (deal(n, stage=stage, owner="anna", amount_minor=n) for n, stage in ((1, "won"), (2, "lost")))
    closed = [msgspec.structs.replace(one, closed_at=at) for one in (won, lost)]
    fill(api, shop("Europe/Kyiv"), *closed, deal(3, owner="anna"))
    query = (
        "{ dealTotals(by: [OWNER, STAGE], time: CLOSED_AT, period: MONTH) { from owner stage count amount { text } } }"
    )
    first = {"from": "2026-03-01T00:00:00+02:00", "owner": "anna", "count": 1}
    assert api.data(query)["dealTotals"] == [
        {**first, "stage": "lost", "amount": money("0.02 UAH")},
        {**first, "stage": "won", "amount": money("0.01 UAH")},
    ]
    assert api.data("{ dealTotals(by: [OWNER, STAGE]) { stage count } }")["dealTotals"] == [
        {"stage": stage, "count": 1} for stage in ("lost", "new", "won")
    ]


def test_revenue_by_the_month_of_the_money_and_the_source_of_its_deal(api: ApiServer) -> None:
    paid = [
        msgspec.structs.replace(
            payment(name, False, id_of("deal 7")), source=source, amount_minor=minor, created_at=micros(at)
        )
        for name, source, minor, at in (
            ("a", "call", 100, datetime(2026, 1, 31, 21, tzinfo=UTC)),
            ("b", "call", 200, datetime(2026, 1, 31, 22, tzinfo=UTC)),  # February in Kyiv
            ("c", "form", 300, datetime(2026, 2, 3, tzinfo=UTC)),
            ("d", "call", 400, datetime(2026, 2, 4, tzinfo=UTC)),
        )
    ]
    fill(api, shop("Europe/Kyiv"), *paid)
    query = '{ paymentTotals(by: [SOURCE], period: MONTH, status: ["settled"]) { from source count amount { text } } }'
    january, february = {"from": "2026-01-01T00:00:00+02:00"}, {"from": "2026-02-01T00:00:00+02:00"}
    assert api.data(query)["paymentTotals"] == [
        {**january, "source": "call", "count": 1, "amount": money("1.00 UAH")},
        {**february, "source": "call", "count": 2, "amount": money("6.00 UAH")},
        {**february, "source": "form", "count": 1, "amount": money("3.00 UAH")},
    ]


@pytest.mark.parametrize("arguments", ["by: [STAGE]", "by: [SOURCE], period: MONTH", "", "by: [SOURCE, STAGE]"])
def test_totals_are_answered_as_the_executor_answers_them(api: ApiServer, arguments: str) -> None:
    """Completed without it, as it took longer than Postgres; a second field of another kind brings it back."""
    fields = "__typename from stage source count paid { ...money } amount { ...money } ... @include(if: $no) { to }"
    head, given = "query ($no: Boolean = false) ", f"({arguments})" if arguments else ""
    query = f"{{ dealTotals{given} {{ {fields} }}%s }} fragment money on Money {{ t: __typename minor currency text }}"
    alone, along = (api.post({"query": head + query % more}).json() for more in ("", " __typename"))
    assert (alone.get("data") or {}).get("dealTotals") == (along.get("data") or {}).get("dealTotals")
    assert alone.get("errors") == along.get("errors")
    assert ("errors" in alone) is (arguments == "by: [SOURCE, STAGE]")


def test_a_total_that_takes_too_long_is_not_read_again_by_the_executor(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    async def stopped(*given: object) -> None:
        tries.append(given)
        raise TooSlow("The query was stopped.")

    monkeypatch.setattr("api.schema.totals.reading.read", stopped)
    assert api.error("{ dealTotals { count } }") == ("TOO_SLOW", "The query was stopped.")
    assert len(tries) == 1


def test_without_ends_it_is_all_that_there_is(api: ApiServer) -> None:
    found = api.data(REVENUE, period="YEAR")["dealTotals"]
    assert [(row["source"], row["count"]) for row in found] == [("call", 1), ("form", 5)]
    found = api.data(REVENUE, **{"from": "2026-02-16T12:00:00Z"})["dealTotals"]
    assert [(row["from"], row["count"]) for row in found] == [("2026-02-16T14:00:00+02:00", 3)]
    fill(api)
    assert api.data(REVENUE, period="DAY") == {"dealTotals": []}
    assert api.data("{ dealTotals(by: [STAGE]) { count } }") == {"dealTotals": []}


def test_another_workspace_has_its_own(api: ApiServer) -> None:
    assert api.data("{ dealTotals { count } }", "crm_live_other") == {"dealTotals": [{"count": 1}]}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            "by: [STAGE, SOURCE]",
            "BAD_INPUT",
            "No total of deal has `source` and `stage`. Nothing was read. There are: stage, owner; "
            "source by openedAt; owner by openedAt; stage, owner by closedAt.",
        ),
        ("by: [STAGE], period: DAY", "BAD_INPUT", "No total of deal has `stage`, by `openedAt`. Nothing was read."),
        (
            'period: HOUR, from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z"',
            "TOO_MUCH",
            "there are more than 400 periods. Nothing was read. Give `from` and `to`, or ask for longer periods.",
        ),
    ],
)
def test_what_no_total_answers_is_refused(api: ApiServer, arguments: str, code: str, said: str) -> None:
    found = api.error(f"{{ dealTotals({arguments}) {{ count }} }}")
    assert found[0] == code
    assert said in found[1]


def test_a_version_whose_totals_are_not_counted_yet_says_so(api: ApiServer) -> None:
    with psycopg.connect(api.dsn) as connection:
        connection.execute("ALTER VIEW read.deal_totals RENAME TO hidden")
    try:
        code, said = api.error("{ dealTotals { count } }")
    finally:
        with psycopg.connect(api.dsn) as connection:
            connection.execute("ALTER VIEW read.hidden RENAME TO deal_totals")
    assert code == "UNAVAILABLE"
    assert said.startswith("The totals of deal are not counted yet")


def chat(name: str, answered_by: str, answer_s: int | None, question_at: int | None = NOON) -> ConversationRow:
    answered_at = None if answer_s is None else Micros(NOON + answer_s * 1_000_000)
    texts = id_of("Olena"), "telegram", name, "", 1, None, "", Micros(NOON), Micros(NOON)
    question = None if question_at is None else Micros(question_at)
    return ConversationRow(id_of(name), *texts, question, answered_at, answered_by, answer_s)


def test_the_time_to_first_answer_by_person(api: ApiServer) -> None:
    """One that waits is counted and has no time; so is one in which the contact wrote nothing yet."""
    chats = [chat("a", "taras", 60), chat("b", "taras", 61), chat("c", "", None), chat("d", "", None, None)]
    fill(api, shop("Europe/Kyiv"), *chats)
    query = """{ conversationTotals(by: [ANSWERED_BY], period: MONTH, channel: ["telegram"]) {
      from answeredBy count answerS { sum count average } } }"""
    first = {"from": "2026-01-01T00:00:00+02:00"}
    assert api.data(query)["conversationTotals"] == [
        {**first, "answeredBy": "", "count": 2, "answerS": {"sum": 0, "count": 0, "average": None}},
        {**first, "answeredBy": "taras", "count": 2, "answerS": {"sum": 121, "count": 2, "average": 60.5}},
    ]


def test_the_time_to_first_answer_by_owner(api: ApiServer) -> None:
    """The owner of the deal, no matter who wrote the answer."""
    owners = {"a": "olena", "b": "olena", "c": "taras", "d": ""}
    times = {"a": 60, "b": 90, "c": 7, "d": None}
    chats = [msgspec.structs.replace(chat(n, "shop", times[n]), owner=owner) for n, owner in owners.items()]
    fill(api, shop("Europe/Kyiv"), *chats)
    query = "{ conversationTotals(by: [OWNER]) { owner count answerS { sum count average } } }"
    assert api.data(query)["conversationTotals"] == [
        {"owner": "", "count": 1, "answerS": {"sum": 0, "count": 0, "average": None}},
        {"owner": "olena", "count": 2, "answerS": {"sum": 150, "count": 2, "average": 75.0}},
        {"owner": "taras", "count": 1, "answerS": {"sum": 7, "count": 1, "average": 7.0}},
    ]


def test_calls_by_employee_and_money_that_waits_for_a_decision(api: ApiServer) -> None:
    ended = msgspec.structs.replace(call("x", "completed"), employee="101", disposition="answered", wait_s=7)
    missed = msgspec.structs.replace(call("y", "completed"), employee="101", disposition="no_answer")
    fill(api, shop("UTC"), ended, missed, payment("lost", True, None), payment("found", False, id_of("deal 7")))
    found = api.data("{ callTotals(by: [EMPLOYEE]) { employee count waitS { sum count average } } }")["callTotals"]
    assert found == [{"employee": "101", "count": 2, "waitS": {"sum": 7, "count": 1, "average": 7}}]
    amount = [{"minor": 9_007_199_254_740_993, "currency": "UAH"}]
    found = api.data("{ paymentTotals(by: [PARKED]) { parked count amount { minor currency } } }")["paymentTotals"]
    assert found == [{"parked": flag, "count": 1, "amount": amount} for flag in (False, True)]
    assert api.data("{ paymentTotals(parked: [true]) { parked count } }") == {
        "paymentTotals": [{"parked": None, "count": 1}]
    }
