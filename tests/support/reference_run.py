"""A run without faults, for tests to damage: deliveries decided in memory, with their ledger and their journal."""

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
from services.connectors.form import CONNECTOR
from services.intake.fact_lines import parse_line
from services.intake.values import LineContext
from tests.chaos.invariants.journal import Entry, Journal, journal_of
from tests.support.scenarios import NOON
from tests.support.workload.deliveries import Delivery, Tenant
from tests.support.workload.delivery_stream import delivery_stream
from tests.support.workload.ledger import Ledger

ROOT = Id("6f1c6c0e-5d6b-4e0e-9d0a-0d3f6f0b7a11")
TENANTS = tuple(Tenant(named_id(ROOT, f"shop {n}"), f"token {n}", named_id(ROOT, f"form {n}")) for n in (1, 2))
DELIVERIES = 600  # deliveries
Log = dict[int, list[Entry]]  # records of each partition, in the order of their offsets


def fact_of(delivery: Delivery) -> Fact:
    """Reads a delivery as intake does."""
    tenant = delivery.tenant
    if delivery.content_type:
        post = Post({"content-type": delivery.content_type}, delivery.body, NOON)
        (fact,) = CONNECTOR.receive(post, Connection(tenant.form, tenant.workspace, "form", "its address"))
        return fact
    return parse_line(delivery.body, lambda: ROOT, LineContext(named_id(ROOT, tenant.token), tenant.workspace, NOON))


@cache
def run_in_memory() -> tuple[tuple[Event, ...], tuple[tuple[Id, Delivery], ...]]:
    """Returns the events of a correct run, and the acknowledged deliveries by fact id."""
    memory = opened()
    acknowledged = []
    for scheduled in islice(delivery_stream(TENANTS, "a seed"), DELIVERIES):
        fact = fact_of(scheduled.delivery)
        memory.take(fact)
        acknowledged.append((fact.meta.id, scheduled.delivery))
    return tuple(memory.journal), tuple(acknowledged)


def opened() -> MemoryDecide:
    """Returns one that has opened the workspaces of the tenants."""
    memory = MemoryDecide()
    for tenant in TENANTS:
        cause = named_id(tenant.workspace, "create")
        command = Fact(Meta(cause, tenant.workspace, tenant.workspace, NOON, NOON, "crm", cause))
        case = Case(command, memory.states[tenant.workspace], NOON)
        name = (tenant.token, "UA", "UAH", "Europe/Kyiv", STAGES, PAID_STAGE, PART_PAID_STAGE)
        memory.append(WorkspaceCreated(case.meta(tenant.workspace), *name))
        rules = (AssignmentRule("everybody in turn", ("olena", "taras")),)
        memory.append(AssignmentRulesSet(case.meta(tenant.workspace), 1, rules))
    return memory


def ledger() -> Ledger:
    kept = Ledger()
    for id, delivery in run_in_memory()[1]:
        kept.take(id, delivery.kind, delivery.money)
    return kept


def events() -> list[Event]:
    return [*run_in_memory()[0]]


def log(events: Sequence[Event]) -> Log:
    """Returns the journal's topic as an undisturbed relay writes it."""
    records: Log = {partition: [] for partition in range(JOURNAL.partitions)}
    for event in events:
        entries = records[journal_partition(event.meta.stream)]
        entries.append(Entry(len(entries), encode(event), event.meta.id))
    return records


def journal(events: Sequence[Event]) -> Journal:
    return journal_of(log(events))


def last(kind: type[Event], events: Sequence[Event]) -> int:
    """Returns the index of the last event of a type."""
    return max(n for n, event in enumerate(events) if type(event) is kind)
