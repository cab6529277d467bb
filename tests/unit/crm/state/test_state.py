"""The state's own rules: what may be a key, what is bounded, and that it survives being written down."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given as for_any

from crm import state as remembered
from crm.engine.in_memory import MemoryState
from crm.envelope import Event, Fact, named_id
from crm.errors import Broken
from crm.events import ContactCreated, DealOpened, DealStageMoved
from crm.scalars import Id
from crm.state import Contact, Deal, DealReference, Payment, fold, identifier_key, key, shelf
from crm.state.entities import OUTCOMES, Numbers
from tests.support.fact_strategies import any_facts
from tests.support.scenarios import RULES, SHOP, Story, form, meta, paid

OLEH = "+380501112233"


@for_any(any_facts())
def test_every_entity_survives_being_written_as_json(facts: list[Fact]) -> None:
    for (kind, _), entity in Story(*RULES).when(*facts).state.things.items():
        assert msgspec.json.decode(msgspec.json.encode(entity), type=getattr(remembered, kind)) == entity


def test_a_key_fits_into_an_index_and_has_no_nul() -> None:
    assert key("ORDER-1") == "ORDER-1"
    assert key("a\0b") == "a\ufffdb"
    assert key("ю" * 200) == "ю" * 200
    assert key("a" * 201) == "sha256:a92efd82109373e58f9a2056dee01e807e216ce6075f7051207c0a9f7d666e50"
    assert identifier_key("phone", OLEH) == f"phone:{OLEH}"


def test_numbers_share_shelves_and_other_hints_have_their_own() -> None:
    assert [shelf(f"number:{n}") for n in (1, 499, 500)] == ["number:0", "number:0", "number:1"]
    assert shelf("reference:ORDER-1") == "reference:ORDER-1"


def test_a_torn_stream_stops_loudly() -> None:
    deal, contact = Id("a"), Id("b")
    with pytest.raises(Broken, match=r"Deal a is not in the state: its first event is missing\. Rebuild the state\."):
        fold(MemoryState(), DealStageMoved(meta("1"), deal, contact, "new", "paid"))


def opened(number: int, reference: str = "") -> DealOpened:
    contact = named_id(SHOP, "contact")
    deal = named_id(SHOP, f"deal {number}")
    envelope = meta(str(number), stream=contact)
    return DealOpened(envelope, deal, contact, number, "", 0, "UAH", "new", "call", reference=reference)


def folded(*events: Event) -> MemoryState:
    contact = named_id(SHOP, "contact")
    state = MemoryState()
    for event in (ContactCreated(meta("0", stream=contact), contact, "", "call"), *events):
        fold(state, event)
    return state


def test_a_contact_remembers_its_newest_fifty_open_deals() -> None:
    state = folded(*(opened(n) for n in range(1, 61)))
    contact = state.get(Contact, named_id(SHOP, "contact"))
    assert contact and contact.deals == 60
    assert contact.open_deals == tuple(named_id(SHOP, f"deal {n}") for n in range(11, 61))
    assert state.get(Numbers, "") == Numbers(60, {"new": 60})


def test_the_deals_of_one_reference_are_bounded_in_any_order() -> None:
    events = [opened(n, "CALLBACK") for n in range(1, 31)]
    smallest = tuple(sorted(named_id(SHOP, f"deal {n}") for n in range(1, 31))[:20])
    for order in (events, events[::-1]):
        assert folded(*order).get(DealReference, "CALLBACK") == DealReference(smallest)


@pytest.mark.parametrize("stage", OUTCOMES)
def test_a_deal_with_an_outcome_is_open_no_more(stage: str) -> None:
    assert not Deal(Id("d"), Id("c"), 1, 100, "UAH", stage).open


@pytest.mark.parametrize(("amount", "paid_minor", "is_open"), [(100, 99, True), (100, 100, False), (0, 500, True)])
def test_a_deal_is_open_until_it_is_paid_in_full(amount: int, paid_minor: int, is_open: bool) -> None:
    assert Deal(Id("d"), Id("c"), 1, amount, "UAH", "new", paid_minor=paid_minor).open == is_open


def test_a_shelf_that_is_full_takes_no_more_and_the_payment_says_so() -> None:
    """A carrier pays out thousands of times from one account: each payment would have read all before it."""
    crowd = [paid(str(n), 100 + n, payment=str(n), reference="SAME") for n in range(500)]
    story = Story().when(*crowd, paid("one more", 7, payment="one more", reference="SAME"))
    payment = story.payment("one more")
    assert payment.hints == ()
    assert payment.parked.endswith("; 500 payments wait for the same already: match it by hand")


def test_the_same_deals_in_any_order_give_the_same_state() -> None:
    states = [folded(*order).things for order in permutations([opened(n, "R") for n in (1, 2, 3)])]
    contact = ("Contact", named_id(SHOP, "contact"))
    assert all({**state, contact: None} == {**states[0], contact: None} for state in states)


def test_a_payment_remembers_no_more_than_it_must() -> None:
    story = Story().when(form("1", phones=[OLEH], amount_minor=100), paid("1", 100, purpose="D-1 дякую"))
    assert story.payment() == Payment(
        payment_id=named_id(SHOP, "payment/bank/p-1"),
        status="settled",
        amount_minor=100,
        currency="UAH",
        changed_at=story.payment().changed_at,
        deal_id=story.deal(1).deal_id,
        version=2,
    )
