"""A true world to plant offences in: stories that were told to memory, with their ledger and their journal."""

from collections.abc import Sequence
from functools import cache
from itertools import islice

from crm.connector import Connection
from crm.connector import Delivery as Post
from crm.contract.codec import encode
from crm.decisions.case import Case
from crm.decisions.workspace import PAID_STAGE, PART_PAID_STAGE, STAGES
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact, named_id
from crm.events import AssignmentRulesSet, WorkspaceCreated
from crm.scalars import Id
from crm.shared import AssignmentRule, Meta
from crm.topics import JOURNAL, journal_partition
from services.connectors.form.webhook import CONNECTOR
from services.intake.told import Teller, read_line
from tests.chaos.deliveries import Delivery, Shop
from tests.chaos.laws.journal import Entry, Journal, journal_of
from tests.chaos.ledger import Ledger
from tests.chaos.stories import stories
from tests.support.scenarios import NOON

ROOT = Id("6f1c6c0e-5d6b-4e0e-9d0a-0d3f6f0b7a11")
SHOPS = tuple(Shop(named_id(ROOT, f"shop {n}"), f"token {n}", named_id(ROOT, f"form {n}")) for n in (1, 2))
TOLD = 600  # deliveries
Log = dict[int, list[Entry]]  # records of each partition, in the order of their offsets


def fact_of(delivery: Delivery) -> Fact:
    """As intake reads it."""
    shop = delivery.shop
    if delivery.content_type:
        post = Post({"content-type": delivery.content_type}, delivery.body, NOON)
        (fact,) = CONNECTOR.receive(post, Connection(shop.form, shop.workspace, "form", "its address"))
        return fact
    return read_line(delivery.body, ROOT, Teller(named_id(ROOT, shop.token), shop.workspace, NOON))


@cache
def told() -> tuple[tuple[Event, ...], tuple[tuple[Id, Delivery], ...]]:
    """The events of a stack that did everything right, and what it acknowledged."""
    memory = MemoryDecide()
    for shop in SHOPS:
        cause = named_id(shop.workspace, "create")
        command = Fact(Meta(cause, shop.workspace, shop.workspace, NOON, NOON, "crm", cause))
        case = Case(command, memory.states[shop.workspace], NOON)
        name = (shop.token, "UA", "UAH", "Europe/Kyiv", STAGES, PAID_STAGE, PART_PAID_STAGE)
        memory.append(WorkspaceCreated(case.meta(shop.workspace), *name))
        rules = (AssignmentRule("everybody in turn", ("olena", "taras")),)
        memory.append(AssignmentRulesSet(case.meta(shop.workspace), 1, rules))
    acknowledged = []
    for telling in islice(stories(SHOPS, "a seed"), TOLD):
        fact = fact_of(telling.delivery)
        memory.take(fact)
        acknowledged.append((fact.meta.id, telling.delivery))
    return tuple(memory.journal), tuple(acknowledged)


def ledger() -> Ledger:
    kept = Ledger()
    for id, delivery in told()[1]:
        kept.take(id, delivery.kind, delivery.money)
    return kept


def events() -> list[Event]:
    return [*told()[0]]


def log(told: Sequence[Event]) -> Log:
    """The journal's topic as an undisturbed relay writes it."""
    records: Log = {partition: [] for partition in range(JOURNAL.partitions)}
    for event in told:
        entries = records[journal_partition(event.meta.stream)]
        entries.append(Entry(len(entries), encode(event), event.meta.id))
    return records


def journal(told: Sequence[Event]) -> Journal:
    return journal_of(log(told))


def last(kind: type[Event], told: Sequence[Event]) -> int:
    """The index of the last event of a type."""
    return max(n for n, event in enumerate(told) if type(event) is kind)
