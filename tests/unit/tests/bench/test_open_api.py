"""`crm bench open-api`: each round says something new, the questions are those of the table, and goals are compared."""

import json
from itertools import count
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from api.schema.filter_table import rows as rows_of_the_table
from api.schema.lists import LISTS
from tests.bench.command import app
from tests.bench.open_api import deals, pages, rival
from tests.bench.open_api.lines import FIRST, LAST, LINES, Rounds
from tests.bench.open_api.run import compared

DEALS = 1_000


def rounds(kind: str, known: int, size: int, first: int = FIRST) -> Rounds:
    return Rounds(count(first), kind, known, size)


@pytest.mark.parametrize("kind", LINES)
def test_each_round_has_the_same_keys_and_new_facts(kind: str) -> None:
    made = rounds(kind, 5, 2)
    sent = [[json.loads(line) for body in made.next(5) for line in body.splitlines()] for _ in range(2)]
    assert [len(one) for one in sent] == [5, 5]
    assert len({fact["id"] for one in sent for fact in one}) == 10
    if kind != "form":
        assert [fact["key"] for fact in sent[0]] == [fact["key"] for fact in sent[1]]
        assert {fact["version"] for one in sent for fact in one} == {FIRST, FIRST + 1}
    else:
        assert len({fact["phones"][0] for one in sent for fact in one}) == 10


def test_rounds_end_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="Measure for fewer seconds"):
        list(rounds("deal", 1, 1, LAST).next(2))


def test_every_filter_goes_with_every_order_of_the_table() -> None:
    listed = LISTS["deals"]
    pairs = {case.pair for case in deals.cases()}
    assert {by for by, _ in pairs} == {*listed.combinations()}
    assert len(list(rows_of_the_table(listed))) == len(listed.combinations()) + 1
    served = sum(len(served.filters) for served in listed.combinations().values())
    plain = {pair for pair in pairs if "state" not in pair[1]} - {("FIELD", "owner")}
    assert len(plain) == served + len(listed.combinations()) * len(listed.finding_few())
    assert len(pairs - plain) == served + len({("CREATED_AT", "owner + state"), ("FIELD", "owner + state")}) + 1


def test_a_deal_that_does_not_meet_the_conditions_is_seen() -> None:
    case = next(c for c in deals.cases() if str(c) == "AMOUNT_ASC stage eq, range of amount")
    given, meets = deals.where(case, Random(7), DEALS)
    stage, low = given["stage"]["eq"], float(given["amount"]["gte"])
    met = [number for number in range(1, DEALS + 1) if meets(number)]
    every = range(1, DEALS + 1)
    found = [(deals.value("stage", n - 1, DEALS), float(deals.value("amount", n - 1, DEALS))) for n in every]
    assert met == [n for n, (at, amount) in zip(every, found, strict=True) if at == stage and amount >= low]
    assert deals.sorted_as(case, met, DEALS) and not deals.sorted_as(case, met[::-1], DEALS)


def test_a_pair_has_the_worst_of_its_kinds() -> None:
    one, other = deals.Case("NUMBER_ASC", (), "", ""), deals.Case("NUMBER_DESC", (), "", "number")
    taken = {one: [0.001] * 9, other: [0.002] * 9}
    (row,) = pages.rows(taken)
    assert (row["kinds"], row["p99_ms"], row["worst_kind"]) == (2, 2.0, "NUMBER_DESC none, range of number")
    assert pages.worst(taken)["kind"] == row["worst_kind"]


def test_postgraphile_gets_the_same_questions() -> None:
    questions = list(rival.questions(DEALS))
    assert len(questions) == 24
    for question in questions:
        ours, theirs = question.bodies("potik")[0], question.bodies("postgraphile")[0]
        assert bool(ours["variables"]["where"]) == ("where" in theirs["variables"])
    given = {"stage": {"eq": "new"}, "amount": {"gte": "12.50"}, "number": {"gte": 7}}
    assert rival.translated(given) == {
        "stage": {"equalTo": "new"},
        "currency": {"equalTo": "UAH"},
        "amountMinor": {"greaterThanOrEqualTo": "1250"},
        "number": {"greaterThanOrEqualTo": "7"},
    }


FOUND: list[tuple[dict[str, Any], list[bool]]] = [
    ({"post_facts": {"form": {"facts_per_s": 15_000}, "product": {"facts_per_s": 14_999}}}, [True, False]),
    ({"upserts": {"deal": {"facts_per_s": 8_000}}}, [True]),
    ({"forms_during_updates": {"p99_with_to_without": 1.3}}, [False]),
    ({"worst_pages": {"p99_ms": 14.9}, "totals": [{"p99_ms": 3.0}, {"p99_ms": 20.0}]}, [True, False]),
    ({"ratios_to_postgraphile": {"times_lowest": 1.5, "goal": 1.5}}, [True]),
    ({"batch_loop": {"times_upserts_of_deals": 19.9}}, [False]),
]


@pytest.mark.parametrize(("figures", "met"), FOUND)
def test_goals_of_the_parts_that_ran_are_compared(figures: dict[str, Any], met: list[bool]) -> None:
    assert [row["met"] for row in compared(figures)] == met


def test_an_unknown_part_is_refused_before_anything_starts() -> None:
    done = CliRunner().invoke(app, ["open-api", "--only", "intake,everything"])
    assert "There is no part 'everything'. Nothing was measured." in str(done.exception)
