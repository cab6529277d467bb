"""Ids of what facts bring into being."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.decisions.case import Case
from crm.decisions.commands.token_revoke import TokenRevoke
from crm.engine.in_memory import MemoryState
from crm.envelope import ORDERED_SINCE, ORDERED_UNTIL, made_id, named_id
from crm.scalars import Id, Micros
from crm.shared import Meta

FACT = Id("0b9f6f5e-5a0e-5d39-8d5c-6d1fd1a0e0a4")
OTHER = Id("0b9f6f5e-5a0e-5d39-8d5c-6d1fd1a0e0a5")
AT = Micros(1_800_000_000_123_456)  # 2027-01-15
META = Meta(FACT, FACT, FACT, AT, AT, "test", FACT)
moments = st.integers(ORDERED_SINCE, ORDERED_UNTIL - 1).map(Micros)
ordinals = st.integers(1, 255)


def test_an_event_has_the_time_the_hash_of_its_fact_and_its_ordinal() -> None:
    assert made_id(META, "", 1) == "01a3185c-507b-88c7-bac3-0c96fd20ed01"
    assert made_id(META, "", 255) == "01a3185c-507b-88c7-bac3-0c96fd20edff"
    assert made_id(META, "deal")[:14] == "01a3185c-507b-"


@given(moments, moments, ordinals, ordinals)
def test_what_comes_later_has_the_greater_id(one: Micros, other: Micros, first: int, second: int) -> None:
    earlier, later = sorted([(one // 1000, first), (other // 1000, second)])
    ids = [made_id(replace(META, recorded_at=Micros(at * 1000)), "", n) for at, n in (earlier, later)]
    assert ids == sorted(ids)
    assert (ids[0] == ids[1]) == (earlier == later)


@given(moments, ordinals)
def test_they_are_uuids_of_version_8(at: Micros, ordinal: int) -> None:
    id = UUID(made_id(replace(META, recorded_at=at), "", ordinal))
    assert (id.version, id.variant) == (8, UUID(FACT).variant)
    assert int(id) >> 80 == at // 1000


def test_facts_names_and_ordinals_give_different_ids() -> None:
    metas = [META, replace(META, id=OTHER, cause=OTHER)]
    names = [("", 1), ("", 2), ("", 300), ("deal", 0), ("contact", 0)]
    assert len({made_id(meta, *name) for meta in metas for name in names}) == 10


@pytest.mark.parametrize("at", [0, -1, ORDERED_SINCE - 1, ORDERED_UNTIL])
def test_what_earlier_facts_made_keeps_its_ids(at: int) -> None:
    meta = replace(META, recorded_at=Micros(at))
    assert made_id(meta, "", 3) == named_id(FACT, "3")
    assert made_id(meta, "deal") == named_id(FACT, "deal")


def test_an_ordinal_that_has_no_room_is_hashed() -> None:
    assert made_id(META, "", 256) == named_id(FACT, "256")


def test_a_command_that_is_given_again_gives_the_same_ids() -> None:
    """Its time is another one then, and a token may be in Kafka already that was never shown."""
    given = [TokenRevoke(meta=replace(META, recorded_at=at), token_id=OTHER) for at in (AT, Micros(AT + 5_000_000))]
    cases = [Case(one, MemoryState(), one.meta.recorded_at) for one in given]
    assert [(case.meta(FACT).id, case.new_id("token")) for case in cases] == [
        (named_id(FACT, "1"), named_id(FACT, "token"))
    ] * 2
