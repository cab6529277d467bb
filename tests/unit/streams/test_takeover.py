"""The order in which facts of an earlier release are taken over."""

from collections.abc import Callable
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.engine.decide_batch import Arrived
from crm.envelope import Fact
from crm.scalars import Id, Micros
from streams.takeover import in_order
from tests.support.scenarios import NOON, call, form, message

SENDERS = [Id(f"00000000-0000-4000-8000-00000000000{n}") for n in range(3)]
TYPES: dict[str, Callable[[str], Fact]] = {
    "crm.intake.forms": form,
    "crm.intake.calls": lambda key: call(key, "ringing"),
    "crm.intake.chats": message,
}


def arrived(topic: str, sender: Id, offset: int, received: int, happened: int) -> Arrived:
    fact: Fact = TYPES[topic](str(offset))
    meta = replace(fact.meta, stream=sender, recorded_at=Micros(received), occurred_at=Micros(happened))
    return Arrived(replace(fact, meta=meta), topic, 0, offset)


@given(st.lists(st.tuples(st.sampled_from([*TYPES]), st.sampled_from(SENDERS), st.booleans()), max_size=30))
def test_each_sender_is_in_the_order_in_which_it_sent(sent: list[tuple[str, Id, bool]]) -> None:
    """Whatever Kafka returns first. Some come in one request: they have one moment of receipt."""
    received, facts = NOON, []
    for offset, (topic, sender, same_request) in enumerate(sent):
        received = Micros(received + (0 if same_request else 1))
        facts.append(arrived(topic, sender, offset, received, NOON - 1_000 + offset))
    read = sorted(facts, key=lambda one: one.topic)  # topic by topic, each in its order
    merged = in_order(read)
    assert sorted(one.offset for one in merged) == list(range(len(facts)))
    for sender in SENDERS:
        expected = [one.offset for one in facts if one.fact.meta.stream == sender]
        assert [one.offset for one in merged if one.fact.meta.stream == sender] == expected


def test_facts_of_one_type_keep_their_order_whatever_their_moments() -> None:
    moments = [5, 1, 9, 2]
    forms = [arrived("crm.intake.forms", SENDERS[0], n, NOON, NOON + at) for n, at in enumerate(moments)]
    calls = [arrived("crm.intake.calls", SENDERS[0], n, NOON, NOON + 6) for n in (10, 11)]
    merged = in_order([*calls, *forms])
    assert [one.offset for one in merged if one.topic == "crm.intake.forms"] == [0, 1, 2, 3]
    assert [one.offset for one in merged] == [0, 1, 10, 11, 2, 3]


def test_senders_do_not_mix() -> None:
    facts = [arrived("crm.intake.forms", SENDERS[n % 3], n, NOON + n, NOON) for n in range(9)]
    assert len([*groupby(one.fact.meta.stream for one in in_order(facts))]) == 3
