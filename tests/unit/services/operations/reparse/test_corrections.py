"""What a mended connector understands puts the cards right, and leaves alone what people changed since."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from crm.commands import Money
from crm.connector import Connection, Connector, Delivery, Report, Webhook
from crm.decisions.commands.contact_change import ContactChange
from crm.decisions.commands.deal_change import DealChange
from crm.envelope import named_id
from crm.events import CallUpdated, DealPaid, MessageEdited, PaymentRecorded
from crm.facts import FormSubmitted
from crm.scalars import Id
from services.operations.reparse.cards import Card, Contact, Deal
from services.operations.reparse.corrections import (
    Correction,
    backfill_corrections,
    changed_fields,
    differences,
    fact_corrections,
    form_corrections,
)
from services.operations.reparse.past_facts import PastFact
from services.operations.reparse.scan import Fill, Reparse
from tests.support.scenarios import CONNECTION, NOON, RAW, SHOP, call, form, given, message, paid

LATER = NOON + 1
ANNA = Contact(Id("33333333-3333-5333-8333-333333333333"), "Anna", ("+380501112233",), (), {})
DEAL = Deal(Id("44444444-4444-5444-8444-444444444444"), ANNA.contact_id, 7, 0, "UAH", "", {})


def lying(fact: Any) -> PastFact:
    return PastFact(fact, "crm.intake.forms", 2, 30)


def of_form(old: FormSubmitted, new: FormSubmitted, card: Card, overwrite: bool = False) -> list[Correction]:
    return [*form_corrections(lying(old), replace(new, meta=old.meta), card, LATER, "ops", overwrite)]


def test_a_form_that_was_read_wrong_puts_deal_and_contact_right() -> None:
    old = form("1", name="")
    new = form("1", name="Олена", phones=["+380671112233"], amount_minor=5000, currency="UAH", fields={"size": '"42"'})
    deal, size, contact = of_form(old, new, Card(DEAL, ANNA._replace(name="")))
    assert isinstance(deal.command, DealChange) and isinstance(size.command, DealChange)
    assert (deal.what, deal.command.deal_id, deal.command.amount) == ("D-7", DEAL.deal_id, Money(5000, "UAH"))
    assert (deal.changes, size.changes) == (
        {"amount": ((0, "UAH"), (5000, "UAH"))},
        {"fields.size": (None, '"42"')},
    )
    assert size.command.fields == {"size": '"42"'}
    assert isinstance(contact.command, ContactChange)
    assert (contact.command.name, contact.command.add_phones) == ("Олена", ("+380671112233",))


def test_what_was_changed_on_the_card_since_stays() -> None:
    old, new = form("1"), form("1", amount_minor=5000, currency="UAH", name="Olena", fields={"size": '"42"'})
    changed = Card(DEAL._replace(amount_minor=900, fields={"size": '"40"'}), ANNA)
    assert of_form(old, new, changed) == []
    assert [c.changes for c in of_form(old, new, changed, overwrite=True)] == [
        {"amount": ((900, "UAH"), (5000, "UAH"))},
        {"fields.size": ('"40"', '"42"')},
    ]


def test_the_same_reading_corrects_nothing() -> None:
    fact = form("1", name="Olena", amount_minor=100, fields={"a": "1"})
    assert of_form(fact, fact, Card(DEAL, ANNA)) == []
    assert differences(fact, fact) == {}
    assert changed_fields({"a": "1"}, {"a": "2"}, {"a": "2"}, False) == {}


def test_a_correction_done_twice_is_one() -> None:
    old, new = form("1"), form("1", amount_minor=5000, currency="UAH")
    first, again = (of_form(old, new, Card(DEAL, ANNA))[0] for _ in range(2))
    other = of_form(old, form("1", amount_minor=6000, currency="UAH"), Card(DEAL, ANNA))[0]
    assert first.id == again.id != other.id


def test_a_payment_that_was_read_wrong_is_corrected_and_counts_once() -> None:
    """1,000.00 were read as 10.00: what is paid for the deal is put right, whatever came in between."""
    story = given(form("f", amount_minor=100_000, reference="R-1"), paid("p", 1_000, reference="R-1"))
    (correction,) = fact_corrections(
        lying(paid("p", 1_000, reference="R-1")), paid("p", 100_000, reference="R-1"), LATER, "o"
    )
    assert correction.changes == {"amount_minor": (1_000, 100_000)}
    assert correction.fact
    story.when(correction.fact)
    (recorded,) = [e for e in story.events if isinstance(e, PaymentRecorded)]
    (settled,) = [e for e in story.events if isinstance(e, DealPaid)]
    assert (recorded.amount_minor, settled.change_minor, settled.paid_minor) == (100_000, 99_000, 100_000)
    assert story.deal(1).stage == "paid"


def test_a_call_and_a_message_are_corrected() -> None:
    story = given(call("c", "completed", "+380501112233"), message("m", text="Hel"))
    (of_call,) = fact_corrections(
        lying(call("c", "completed", "+380501112233")),
        call("c", "completed", "+380501112233", employee="anna"),
        LATER,
        "o",
    )
    (of_message,) = fact_corrections(lying(message("m", text="Hel")), message("m", text="Hello"), LATER, "o")
    assert of_call.fact and of_message.fact
    story.when(of_call.fact)
    assert [e.employee for e in story.events if isinstance(e, CallUpdated)] == ["anna"]
    story.when(of_message.fact)
    assert [e.text for e in story.events if isinstance(e, MessageEdited)] == ["Hello"]


def test_what_an_edit_cannot_say_makes_no_message_edited() -> None:
    """Today's connector also says when a message was sent: each old message would have counted as edited."""
    assert [
        *fact_corrections(lying(message("m", text="Hello")), message("m", text="Hello", sent_at=NOON), LATER, "o")
    ] == []


def test_a_field_is_filled_where_there_is_none() -> None:
    def done(card: Card, entity: str, overwrite: bool = False) -> list[Correction]:
        return [*backfill_corrections(lying(form("1")), card, entity, "size", "42", LATER, "ops", overwrite)]

    (of_deal,), (of_contact,) = done(Card(DEAL, ANNA), "deal"), done(Card(DEAL, ANNA), "contact")
    assert (of_deal.what, of_deal.changes) == ("D-7", {"fields.size": (None, "42")})
    assert isinstance(of_contact.command, ContactChange)
    assert of_contact.command.fields == {"size": "42"}
    has = Card(DEAL._replace(fields={"size": "40"}), None)
    assert done(has, "deal") == []
    assert [c.changes for c in done(has, "deal", overwrite=True)] == [{"fields.size": ("40", "42")}]
    assert done(Card(None, None), "deal") == []


def test_the_oldest_delivery_fills_a_card_once() -> None:
    fill = Fill("contact", "size", "size", LATER, "ops", overwrite=False)
    facts = [replace(form(str(n)), raw=replace(RAW, body=b'{"size": %d}' % n)) for n in (1, 2)]
    found = [correction for fact in facts for correction in fill(lying(fact), Card(None, ANNA))]
    assert [correction.changes for correction in found] == [{"fields.size": (None, "1")}]
    assert (fill.read.read, fill.read.differ, fill.read.same) == (2, 1, 1)


@pytest.fixture
def mended() -> Reparse:
    """A connector that reads names and what it calls extra; the one before it read nothing."""

    def parse(delivery: Delivery, _: Connection) -> Iterator[Report]:
        if delivery.body == b"broken":
            raise ValueError("cannot")
        yield Report("a", "", NOON, lambda meta, raw: FormSubmitted(meta, raw, name=delivery.body.decode()))
        if delivery.body == b"two":
            yield Report("b", "", NOON, lambda meta, raw: FormSubmitted(meta, raw, name="second"))

    connector = Connector("form", "forms", Webhook(lambda *_: None, parse))
    return Reparse(connector, {CONNECTION: Connection(CONNECTION, SHOP, "form", "s")}, LATER, "ops", False)


def past_form(body: bytes, key: str = "a", name: str = "") -> PastFact:
    fact = form("1", name=name)
    meta = replace(fact.meta, id=named_id(CONNECTION, key), source=CONNECTION)
    return lying(replace(fact, meta=meta, raw=replace(RAW, body=body)))


def test_todays_connector_reads_again(mended: Reparse) -> None:
    nameless = Card(None, ANNA._replace(name=""))
    assert [c.changes for c in mended(past_form(b"Olena"), nameless)] == [{"name": ("", "Olena")}]
    assert [*mended(past_form(b"Olena", name="Olena"), nameless)] == []
    assert [*mended(past_form(b"broken"), nameless)] == []
    # A form whose key is another now is still that delivery's form.
    assert [c.changes for c in mended(past_form(b"Olena", key="old"), nameless)] == [{"name": ("", "Olena")}]
    read = mended.read
    assert (read.read, read.differ, read.same, read.unreadable, read.gone) == (4, 2, 1, 1, 0)


def test_a_fact_that_was_missed_then_is_found_now(mended: Reparse) -> None:
    found = [*mended(past_form(b"two", name="two"), Card(None, ANNA))]
    assert [(c.what, c.id) for c in found] == [("new FormSubmitted", named_id(CONNECTION, "b"))]
