"""A given/when/then notation: given these facts, when this one comes, then these events, without envelopes."""

from collections.abc import Iterable
from typing import Any, Self

from msgspec.structs import asdict

from crm.decisions.workspace import PAID_STAGE, PART_PAID_STAGE, STAGES
from crm.engine.in_memory import MemoryDecide, MemoryState
from crm.envelope import Event, Fact, named_id
from crm.events import AssignmentRulesSet, DealStageMoved, WorkspaceCreated
from crm.facts import (
    CallReported,
    ContactReported,
    DealReported,
    FormSubmitted,
    MailReported,
    MessageReported,
    OrderReported,
    ParcelReported,
    PaymentReported,
)
from crm.scalars import Id, Micros
from crm.shared import AssignmentRule, Meta, Phone, Raw
from crm.state import Contact, Deal, DealNumber, Payment

SHOP = Id("11111111-1111-5111-8111-111111111111")
CONNECTION = Id("22222222-2222-5222-8222-222222222222")
NOON = Micros(1_767_225_600_000_000 + 10 * 3_600_000_000)  # 2026-01-01 10:00 UTC, 12:00 in Kyiv
MINUTE = 60_000_000
RAW = Raw("application/json", {}, "", b"{}")


def meta(key: str, at: int = NOON, stream: Id | None = None, workspace: Id = SHOP) -> Meta:
    id = named_id(CONNECTION, key)
    at = Micros(at)
    return Meta(id, workspace, stream or id, at, at, CONNECTION, id, actor="test")


def phone(e164: str, text: str = "") -> Phone:
    return Phone(text or e164, e164)


def form(key: str, at: int = NOON, phones: Iterable[str] = (), **said: Any) -> FormSubmitted:
    return FormSubmitted(meta(f"form {key}", at), RAW, phones=tuple(phone(p) for p in phones), **said)


def paid(key: str, amount: int, **said: Any) -> PaymentReported:
    """Makes a payment report, settled by default."""
    fields: dict[str, Any] = {
        "provider": "bank",
        "payment": "p-1",
        "status": "settled",
        "currency": "UAH",
        "changed_at": NOON,
    } | said
    fields["changed_at"] = NOON
    return PaymentReported(meta(f"payment {key}"), RAW, amount_minor=amount, **(fields | said))


def call(key: str, phase: str, number: str = "", at: int = NOON, **said: Any) -> CallReported:
    fields: dict[str, Any] = {"call": "c-1", "direction": "in", "phone": Phone(number, number)}
    return CallReported(meta(f"call {key}", at), RAW, phase=phase, **(fields | said))


def message(key: str, **said: Any) -> MessageReported:
    fields: dict[str, Any] = {
        "channel": "telegram",
        "chat": "77",
        "chat_kind": "private",
        "message": "1",
        "sender": "77",
    } | said
    return MessageReported(meta(f"message {key}"), RAW, **(fields | said))


def mail(name: str, /, at: int = NOON, **said: Any) -> MailReported:
    """Makes a mail of Olena's to us."""
    fields: dict[str, Any] = {"mail": name, "customer": "olena@example.net", "customer_name": "Олена", "sent_at": at}
    return MailReported(meta(f"mail {name} {at} {said.get('text', '')}", at), RAW, **(fields | said))


def parcel(key: str, **said: Any) -> ParcelReported:
    """Makes a report of the parcel A of the service post, in transit by default."""
    fields: dict[str, Any] = {"service": "post", "tracking_number": "A", "status": "in_transit", "changed_at": NOON}
    at = said.pop("at", NOON)
    return ParcelReported(meta(f"parcel {key}", at), RAW, **(fields | said))


def deal_report(name: str, /, version: int | None = None, at: int = NOON, **said: Any) -> DealReported:
    """Makes a report of the deal shop:17."""
    fields: dict[str, Any] = {"system": "shop", "key": "17"} | said
    return DealReported(meta(f"deal report {name}", at), RAW, version=version, **fields)


def order_report(name: str, /, at: int = NOON, **said: Any) -> OrderReported:
    """Makes a report of the order shop:17."""
    fields: dict[str, Any] = {"system": "shop", "order": "17", "changed_at": at} | said
    return OrderReported(meta(f"order report {name}", at), RAW, **fields)


def contact_report(name: str, /, version: int | None = None, at: int = NOON, **said: Any) -> ContactReported:
    """Makes a report of the contact shop:42."""
    fields: dict[str, Any] = {"system": "shop", "key": "42"} | said
    return ContactReported(meta(f"contact report {name}", at), RAW, version=version, **fields)


def shop(*rules: AssignmentRule, workspace: Id = SHOP) -> list[Event]:
    """Returns the events of a workspace in Kyiv, with its rules if there are any."""
    created = meta("workspace", stream=workspace, workspace=workspace)
    stages = (STAGES, PAID_STAGE, PART_PAID_STAGE)
    events: list[Event] = [WorkspaceCreated(created, "Shop", "UA", "UAH", "Europe/Kyiv", *stages)]
    if rules:
        events.append(AssignmentRulesSet(meta("rules", stream=workspace, workspace=workspace), 1, rules))
    return events


RULES = shop(
    AssignmentRule("Form", ("anna", "borys"), source="form"),
    AssignmentRule("Rest", ("olha", "petro"), pick="least_open"),
)


class Story:
    """The facts and events so far."""

    def __init__(self, *before: Event) -> None:
        self.decide = MemoryDecide()
        self.decide.append(*(before or shop()))
        self.events: list[Any] = []

    def when(self, *facts: Fact) -> Self:
        """Decides these facts. `then` checks the events of the last one."""
        for fact in facts:
            self.events = [*self.decide.take(fact)]
        return self

    def then(self, *said: tuple[type[Event], dict[str, Any]]) -> Self:
        """Checks for exactly these events in this order, with the given fields."""
        assert [type(event) for event in self.events] == [kind for kind, _ in said]
        for event, (_, fields) in zip(self.events, said, strict=True):
            all_fields = asdict(event)
            assert {name: all_fields[name] for name in fields} == fields
        return self

    def moved(self, number: int, stage: str) -> Self:
        """Moves a deal to a stage, as an operator does."""
        deal = self.deal(number)
        at = meta(f"by hand {number} {stage}", stream=deal.contact_id)
        self.decide.append(DealStageMoved(at, deal.deal_id, deal.contact_id, deal.stage, stage))
        return self

    @property
    def state(self) -> MemoryState:
        return self.decide.states[SHOP]

    def every(self, kind: type[Event]) -> list[Any]:
        """Returns all events of a type in the journal."""
        return [event for event in self.decide.journal if isinstance(event, kind)]

    def deal(self, number: int) -> Deal:
        entry = self.state.get(DealNumber, str(number))
        assert entry, f"there is no D-{number}"
        deal = self.state.get(Deal, entry.deal_id)
        assert deal
        return deal

    def contacts(self) -> list[Contact]:
        """Returns the contacts that are not merged into others."""
        things = self.state.things.values()
        return [thing for thing in things if isinstance(thing, Contact) and not thing.merged_into]

    def payment(self, name: str = "p-1") -> Payment:
        payment = self.state.get(Payment, named_id(SHOP, f"payment/bank/{name}"))
        assert payment
        return payment


def given(*facts: Fact | Event) -> Story:
    """Starts a story with these events (a plain shop if none), then these facts."""
    story = Story(*(fact for fact in facts if isinstance(fact, Event)))
    return story.when(*(fact for fact in facts if isinstance(fact, Fact)))


def an(event: type[Event], /, **fields: Any) -> tuple[type[Event], dict[str, Any]]:
    """Expects an event of this type with at least these fields."""
    return event, fields


class KnownBy(dict[str, str]):
    """Expects these identifiers of a card, by kind, however they were written."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and [*self.items()] == [(one.kind, one.value) for one in other]
