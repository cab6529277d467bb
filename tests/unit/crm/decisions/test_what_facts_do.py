"""The table at the top of docs/streaming-in.md: what each fact does to contacts and deals, and what it does again."""

import re

from msgspec.structs import replace

from crm.decisions import RULES
from crm.events import ContactCreated, DealOpened, EnquiryRepeated, PaymentParked
from tests.support.scenarios import MINUTE, NOON, Story, call, form, given, message, paid
from tests.support.tools import ROOT

PAGE = (ROOT / "docs" / "streaming-in.md").read_text("utf-8")
PHONE, OTHER = "+380501234567", "+380671234567"
DAY = 24 * 60 * MINUTE


def made(story: Story) -> tuple[int, int]:
    """The numbers of contacts and deals that were ever made."""
    return len(story.every(ContactCreated)), len(story.every(DealOpened))


def test_every_fact_of_the_open_api_has_a_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## POST /facts")[0], re.MULTILINE)
    assert sorted(rows) == sorted(rule.fact.__name__ for rule in RULES.values() if rule.sender)


def test_a_form_always_opens_a_deal_unless_it_is_the_same_enquiry() -> None:
    first = form("1", phones=[PHONE], name="Олена", fields={"city": '"Львів"'})
    story = given(first)
    assert made(story) == (1, 1)
    other = form("2", at=NOON + MINUTE, phones=[PHONE], name="Олена", fields={"city": '"Київ"'})
    assert made(story.when(other)) == (1, 2)
    assert made(story.when(form("3", phones=[OTHER], name="Тарас"))) == (2, 3)
    assert made(story.when(form("4"))) == (3, 4)


def test_the_same_enquiry_is_noted_then_counted_and_after_days_a_new_wish() -> None:
    def again(key: str, after: int) -> Story:
        first = form("1", phones=[PHONE], name="Олена", fields={"city": '"Львів"'})
        return given(first, replace(first, meta=form(key, at=NOON + after).meta))

    assert (made(again("2", 9 * MINUTE)), len(again("2", 9 * MINUTE).every(EnquiryRepeated))) == ((1, 1), 0)
    assert (made(again("2", DAY)), len(again("2", DAY).every(EnquiryRepeated))) == ((1, 1), 1)
    assert made(again("2", 4 * DAY)) == (1, 2)


def test_a_call_opens_a_deal_unless_there_ever_was_one() -> None:
    assert made(given(call("1", "ringing", PHONE))) == (1, 1)
    assert made(given(call("1", "ringing", PHONE), call("2", "completed", PHONE))) == (1, 1)
    assert made(given(form("1", phones=[PHONE]), call("1", "ringing", PHONE))) == (1, 1)
    won = given(form("1", phones=[PHONE])).moved(1, "won")
    assert made(won.when(call("1", "ringing", PHONE))) == (1, 1)
    assert made(given(call("1", "completed", PHONE, direction="out"))) == (1, 0)
    assert made(given(call("1", "ringing"))) == (1, 0)
    withheld = replace(call("1", "answered"), phone=replace(call("1", "").phone, text="anonymous"))
    assert made(given(withheld)) == (1, 1)
    colleague = replace(call("1", "answered"), phone=replace(call("1", "").phone, text="101"))
    assert made(given(colleague)) == (0, 0)


def test_a_message_in_a_private_chat_opens_a_deal_unless_there_ever_was_one() -> None:
    assert made(given(message("1", direction="in", text="hi"))) == (1, 1)
    assert made(given(message("1", text="hi"), message("2", message="2", text="again"))) == (1, 1)
    assert made(given(message("1", chat_kind="group", chat="-5", sender="77", text="hi"))) == (1, 0)
    assert made(given(message("1", direction="out", sender="shop", text="hi"))) == (1, 0)
    assert made(given(message("1", chat_kind="channel", person=False, text="news"))) == (0, 0)


def test_a_payment_opens_nothing_and_waits_for_its_deal() -> None:
    alone = given(paid("1", 10_000, purpose="for the order"))
    assert (made(alone), len(alone.every(PaymentParked))) == ((0, 0), 1)
    deal = given(form("1", phones=[PHONE], amount_minor=10_000, currency="UAH"), paid("1", 10_000, purpose="D-1"))
    assert (made(deal), deal.deal(1).stage) == ((1, 1), "paid")
