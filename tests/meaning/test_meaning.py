"""Each case of the corpus through connectors, decisions and projections; the score as a table at the end of the run."""

import pytest

from tests.meaning.corpus import Case, cases, played
from tests.meaning.judge import wrong

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[f"{case.topic}:{case.id}" for case in CASES])
def test_means_what_a_careful_person_would_say(case: Case) -> None:
    assert not wrong(case.expect, played(case)), case.why


def test_every_case_has_a_name_of_its_own() -> None:
    ids = [case.id for case in CASES]
    assert sorted({*ids}) == sorted(ids)


@pytest.mark.parametrize(
    ("expect", "sentence"),
    [
        ({"contacts": []}, "0 people were expected"),
        ({"contacts": [{"name": "Somebody else", "phones": ["+380671112233"]}]}, "the name 'Somebody else'"),
        ({"contacts": [{"phones": ["+380671112234"]}]}, "phones of 'Olena'"),
        ({"deals": 2}, "2 deals were expected"),
        ({"deals": [{"amount": "12.00 UAH"}]}, "amount: '12.00 UAH' was expected"),
        ({"deals": [{"sees": ["nowhere to be found"]}]}, "does not show"),
        ({"visible": ["nowhere to be found"]}, "is nowhere"),
        ({"callers": {"+380671112233": -1}}, "and it is of [0]"),
        ({"calls": 1}, "1 of call were expected"),
        ({"quarantine": 1}, "1 in quarantine were expected"),
    ],
)
def test_the_judge_finds_a_planted_fault(expect: dict[str, object], sentence: str) -> None:
    """A judge that finds nothing would make every case right."""
    form = {"name": "Olena", "phone": "0671112233", "message": "Hello"}
    case = Case("planted", "", [{"to": "form", "form": form}], expect)
    assert sentence in " ".join(wrong(expect, played(case)))
