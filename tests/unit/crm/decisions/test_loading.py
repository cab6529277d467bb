"""A batch is loaded in few rounds: what a fact will ask for is known beforehand, or follows from what was found."""

from collections.abc import Callable, Iterable

import pytest

from crm.adapters.postgres.state import UUID_LENGTH
from crm.decisions import FOLLOW, decided, hints
from crm.decisions.case import Case
from crm.engine.in_memory import MemoryState
from crm.envelope import Fact
from crm.shared import AssignmentRule, Payer
from crm.state import Deal
from crm.state.entity import E, Entity
from tests.support.scenarios import NOON, Story, call, form, message, paid, phone, shop

OLEH = "+380501112233"


class NotLoaded(Exception):
    """The decision asked for what was not fetched."""


class Loading:
    """A state of which only what was asked for is there; it copies from `whole` as an engine reads from a table."""

    def __init__(self, whole: MemoryState) -> None:
        self.whole, self.part, self.loaded = whole, MemoryState(), set[tuple[str, str]]()
        self.wanted: list[tuple[type[Entity], str]] = []
        self.fresh = set[str]()  # ids that came into being here: nothing of them can be stored

    def get(self, kind: type[E], key: str) -> E | None:
        if (kind.__name__, key) not in self.loaded and key not in self.fresh:
            self.wanted.append((kind, key))
            raise NotLoaded
        return self.part.get(kind, key)

    def put(self, key: str, entity: Entity) -> None:
        if (type(entity).__name__, key) not in self.loaded and len(key) == UUID_LENGTH:
            self.fresh.add(key)
        self.loaded.add((type(entity).__name__, key))
        self.part.put(key, entity)

    def drop(self, kind: type[Entity], key: str) -> None:
        self.part.drop(kind, key)

    def load(self, keys: Iterable[tuple[type[Entity], str]]) -> None:
        """And all that follows."""
        for kind, key in keys:
            if (kind.__name__, key) in self.loaded:
                continue
            self.loaded.add((kind.__name__, key))
            entity = self.whole.get(kind, key)
            if entity:
                self.part.put(key, entity)
                self.load(FOLLOW[kind](entity) if kind in FOLLOW else ())


def rounds(whole: MemoryState, fact: Fact) -> list[tuple[type[Entity], str]]:
    """What was missing after the hints and all that follows from them."""
    missing: list[tuple[type[Entity], str]] = []
    while True:
        state = Loading(whole)
        state.load([*hints(fact), *missing])
        try:
            decided(Case(fact, state, NOON))
            return missing
        except NotLoaded:
            missing += state.wanted


def a_busy_shop() -> Story:
    rules = shop(AssignmentRule("All", ("anna", "borys")), AssignmentRule("Least", ("anna", "vira"), pick="least_open"))
    story = Story(*rules)
    story.when(form("1", phones=[OLEH], emails=("o@ua.net",), reference="ORDER-1", amount_minor=100))
    story.when(message("1"), message("2", message="2", text="hi"))
    return story.when(paid("1", 7, payment="parked", reference="LATER"), paid("2", 50, purpose="D-1"))


CASES: dict[str, Callable[[], Fact]] = {
    "a new form": lambda: form("new", phones=["+380509999999"], emails=("n@n.n",)),
    "a known form": lambda: form("2", phones=[OLEH], form="B"),
    "the form that a payment waits for": lambda: form("3", phones=[OLEH], reference="LATER"),
    "a new call": lambda: call("1", "ringing", "+380509999999"),
    "a known call": lambda: call("1", "ringing", OLEH),
    "the end of a call first": lambda: call("end", "hung_up", call="c-9", direction=""),
    "a message": lambda: message("3", message="3"),
    "a message in a group": lambda: message("3", message="3", chat="-5", chat_kind="group"),
    "what happened in a chat": lambda: message("3", message="3", kind="service"),
    "a message that was taken back": lambda: message("3", kind="deleted"),
    "an edit": lambda: message("3", message="2", edited_at=NOON),
    "a shared phone": lambda: message("4", message="4", shared_phone=phone(OLEH), shared_is_own=True),
    "a payment by number": lambda: paid("n", 10, payment="n", purpose="D-1"),
    "a payment by reference": lambda: paid("r", 10, payment="r", reference="ORDER-1"),
    "a payment by an order's number": lambda: paid("o", 50, payment="o", purpose="замовлення 1"),
    "a payment by a reference in words": lambda: paid("w", 10, payment="w", purpose="за ORDER-1"),
    "a payment of an account": lambda: paid("a", 10, payment="a", purpose="D-1", payer=Payer(iban="UA1", tax_id="12")),
    "a refund": lambda: paid("refund", 50, refunded_minor=50, changed_at=NOON + 1),
    "a payment that fits nothing": lambda: paid("x", 10, payment="x", purpose="D-9", reference="?"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_round_is_enough(name: str) -> None:
    assert rounds(a_busy_shop().state, CASES[name]()) == []


def test_a_payer_costs_a_round_more_and_is_decided_all_the_same() -> None:
    """The payer's open deals are not fetched for every form: only a payment asks for them."""
    whole = a_busy_shop().state
    fact = paid("payer", 50, payment="payer", payer=Payer(phone=OLEH))
    assert [kind for kind, _ in rounds(whole, fact)] == [Deal]
