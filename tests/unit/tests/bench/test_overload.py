"""`crm bench overload` sends what was never sent before, and counts each answer for what it is."""

from uuid import uuid4

import pytest

from crm.contract.codec import decode, encode
from crm.decisions import RULES
from crm.scalars import Id
from tests.bench.overload import LATE, Push, in_parts, with_new_ids
from tests.support.workload.facts import mixed_facts

ACCEPTED = b"HTTP/1.1 200 OK"
LATER = b"HTTP/1.1 503 Service Unavailable"
ADVISED = LATER + b"\r\nRetry-After: 5"


def test_each_round_tells_new_facts_of_the_same_people() -> None:
    made = [
        (f.meta.id, RULES[type(f)].family, f.meta.stream.encode(), encode(f)) for f in mixed_facts(Id(str(uuid4())), 50)
    ]
    rounds = [list(with_new_ids(made, again)) for again in range(3)]
    facts = [decode(value) for one in rounds for _, _, _, value in one]
    assert len({fact.meta.id for fact in facts}) == 150
    assert len({fact.meta.stream for fact in facts}) == 5
    assert {str(place[:3]) for place in rounds[0]} == {str(place[:3]) for place in rounds[2]}


def test_parts_leave_nothing_out() -> None:
    facts = [("topic", n, b"", b"") for n in range(7)]
    assert [len(part) for part in in_parts(iter(facts), 3)] == [3, 3, 1]
    assert [fact for part in in_parts(iter(facts), 3) for fact in part] == facts


@pytest.mark.parametrize(
    ("head", "seconds", "counted"),
    [
        (ACCEPTED, 0.1, {"accepted": 1}),
        (ACCEPTED, LATE + 1, {"accepted": 1, "late": 1}),
        (ADVISED, 0.1, {"later": 1}),
        (LATER, 0.1, {"later": 1, "later_without_retry_after": 1}),
        (b"HTTP/1.1 500 Internal Server Error", 0.1, {"other": 1}),
    ],
)
def test_an_answer_counts_for_what_it_is(head: bytes, seconds: float, counted: dict[str, int]) -> None:
    push = Push("http://127.0.0.1:1/in/x", 0)
    push.answered(head, seconds)
    assert {name: n for name, n in push.counts.items() if n} == counted
    assert push.slowest == seconds
