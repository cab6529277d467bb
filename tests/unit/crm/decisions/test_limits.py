"""What could stop every projection is found before it is decided: no index, no number and no date is past measure."""

import json

import pytest
from msgspec.structs import replace

from crm.envelope import Fact
from crm.events import ContactCreated, DealAssigned, DealOpened, FactQuarantined, PaymentParked, PaymentRecorded
from crm.shared import Payer, Phone
from tests.support.scenarios import NOON, an, call, form, given, message, paid

LONG = "a" * 200
TOO_LONG = "It names somebody by 'telegram' of 207 characters; 200 are the most that can be looked up."
NO_DATE = "It names a moment outside the years 1 to 9999. The delivery is kept. Send it with its true time."


@pytest.mark.parametrize(
    "fact",
    [
        paid("1", 100, payer=Payer(iban=LONG)),
        call("1", "ringing", LONG),
        message("1", sender=LONG),
        message("1", channel=LONG),
        message("1", shared_phone=Phone("", LONG)),
    ],
)
def test_who_is_named_endlessly_is_quarantined(fact: Fact) -> None:
    """An e-mail of 9,000 characters through POST /facts stopped all projections: no index row of Postgres is so long,
    and the projector tried the same transaction again forever."""
    story = given().when(fact).then(an(FactQuarantined))
    assert story.events[0].reason.startswith("It names somebody by '")
    assert story.contacts() == []


def test_a_form_that_names_somebody_endlessly_is_a_lead_all_the_same() -> None:
    """It was in quarantine as a whole, where nobody saw it."""
    said = form("1", phones=[LONG], emails=(LONG + "@ua.net",), name="Olena")
    story = given().when(said).then(an(ContactCreated), an(DealOpened), an(DealAssigned))
    assert story.contacts()[0].identifiers == ()
    assert story.every(DealOpened)[0].title == f"Olena (phone as written: {LONG})"


def test_a_payers_endless_e_mail_identifies_nobody_and_the_money_is_there() -> None:
    """The whole payment was in quarantine."""
    story = (
        given().when(paid("1", 100, payer=Payer(email=LONG + "@ua.net"))).then(an(PaymentRecorded), an(PaymentParked))
    )
    assert story.payment().hints == ()


def test_the_longest_name_of_somebody_is_taken() -> None:
    """Past 200 characters the state knows an identifier by its hash, which a merge once wrote onto the other card."""
    name = LONG[: 200 - len("telegram:")]
    assert given().when(message("1", sender=name)).contacts()[0].identifiers == (f"telegram:{name}",)
    reason = given().when(message("1", sender=name + LONG[:7])).events[0].reason
    assert reason == f"{TOO_LONG} The delivery is kept. Send it with a shorter one."


@pytest.mark.parametrize("moment", [-(2**63), -62_135_596_800_000_001, 253_402_300_800_000_000, 2**63 - 1])
def test_a_moment_outside_the_calendar_is_quarantined(moment: int) -> None:
    """A client wrote a time before 4713 BC to Kafka: Postgres has none, and seven projections halted."""
    happened = form("1")
    facts: list[Fact] = [
        replace(happened, meta=replace(happened.meta, occurred_at=moment)),
        paid("1", 100, changed_at=moment),
        call("1", "ringing", "+380671234567", started_at=moment),
        message("1", edited_at=moment),
        message("1", sent_at=moment),
    ]
    for fact in facts:
        story = given().when(fact).then(an(FactQuarantined, reason=NO_DATE))
        assert story.events[0].meta.occurred_at in (NOON, story.events[0].meta.recorded_at)


@pytest.mark.parametrize("number", ["1e-20000", "0e-99999", "-1e5000", "0." + "1" * 17_000, '[1, {"a": 1e9999}]'])
def test_a_number_past_all_measure_is_kept_as_text(number: str) -> None:
    """Anybody's form with {"x": 1e-20000} stopped the deals of all: jsonb has no such number."""
    story = given().when(form("1", fields={"x": number, "y": "1.10"}))
    assert story.every(DealOpened)[0].fields == {"x": json.dumps(number), "y": "1.10"}
