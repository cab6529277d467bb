"""Payments whose evidence disagrees, is weak or is another's: they wait for a person, with all candidates named."""

import pytest

from crm.events import DealPaid, IdentifierAdded, PaymentMatched, PaymentParked, PaymentRecorded
from crm.facts import FormSubmitted
from crm.shared import Payer
from tests.support.scenarios import NOON, Story, an, form, given, paid

OLEH, MARTA, VIRA = "+380501112233", "+380671112233", "+380931112233"
IBAN = "UA213223130000026007233566001"


def deal(key: str, minor: int, phone: str = OLEH, name: str = "Олег Дячук", reference: str = "") -> FormSubmitted:
    return form(key, name=name, phones=[phone], amount_minor=minor, reference=reference)


def on(story: Story, name: str = "p-1") -> int | None:
    """The number of the deal that a payment is on."""
    deal_id = story.payment(name).deal_id
    numbers = {story.deal(n).deal_id: n for n in range(1, 10) if story.state.things.get(("DealNumber", str(n)))}
    return numbers[deal_id] if deal_id else None


def test_a_strangers_number_is_one_reading_and_the_sum_says_which() -> None:
    """The bug: "замовлення №1" paid D-1, a stranger's deal, and not the shop's order 1, which waits for this sum."""
    story = given(deal("a", 90_000), deal("b", 125_000, MARTA, "Марта Левченко", "1"))
    story.when(paid("1", 125_000, purpose="Оплата за замовлення №1"))
    assert (on(story), story.deal(1).paid_minor) == (2, 0)
    matched = story.every(PaymentMatched)[0]
    assert (matched.by, matched.why) == (
        "reference",
        "D-2: 1 in its text is the deal's reference; exactly 1250.00 UAH is outstanding",
    )


def test_evidence_that_disagrees_parks_and_names_all_and_one_action_settles_it() -> None:
    story = given(deal("a", 125_000), deal("b", 125_000, MARTA, "Марта Левченко", "1"))
    story.when(paid("1", 125_000, purpose="замовлення №1", payer=Payer(name="ЛЕВЧЕНКО М.")))
    story.then(an(PaymentRecorded), an(PaymentParked, candidates=(story.deal(1).deal_id, story.deal(2).deal_id)))
    assert story.payment().parked == (
        "It could be for D-1 (1 in its text is the deal's number; exactly 1250.00 UAH is outstanding) or D-2 (1 in "
        "its text is the deal's reference; exactly 1250.00 UAH is outstanding; its contact is called like the payer)."
        " Say which with paymentMatch: it names no payer that can be recognised"
    )


@pytest.mark.parametrize(
    "purpose",
    ["Доставка у відділення №1", "школа №1", "каса №1", "замовлення 1 вікна", "рахунок 1% аванс", "з рахунку 1"],
)
def test_a_number_of_something_else_is_no_deal(purpose: str) -> None:
    story = given(deal("a", 90_000)).when(paid("1", 64_000, purpose=purpose))
    assert on(story) is None and story.deal(1).paid_minor == 0


def test_the_machines_reference_goes_before_a_number_in_words() -> None:
    story = given(deal("a", 90_000), deal("b", 125_000, MARTA, "Марта", "1"))
    story.when(paid("1", 50_000, reference="1", purpose="Оплата замовлення 1"))
    assert on(story) == 2


def test_a_reference_of_ours_and_our_own_number_that_disagree_are_parked() -> None:
    story = given(deal("a", 90_000), deal("b", 125_000, MARTA, "Марта", "WC-1001"))
    story.when(paid("1", 50_000, reference="WC-1001", purpose="Угода D-1"))
    assert on(story) is None and "D-1" in story.payment().parked and "D-2" in story.payment().parked
    story.when(paid("2", 125_000, payment="p-2", reference="WC-1001", purpose="Угода D-1"))
    assert on(story, "p-2") == 2
    assert story.every(PaymentMatched)[0].suspicious.startswith("it could also be for D-1 (it names D-1")


def test_the_words_of_several_reports_count_together() -> None:
    story = given(deal("a", 90_000), deal("b", 70_000))
    story.when(paid("1", 500, purpose="D-1, D-2", status="held"))
    story.when(paid("2", 500, purpose="D-1", changed_at=NOON + 1))
    assert on(story) is None


def test_bank_operations_are_no_customers_payments() -> None:
    story = given(deal("a", 90_000)).when(paid("1", 90_000, purpose="Повернення коштів за замовлення №1"))
    assert on(story) is None
    assert "it looks like no customer's payment: 'повернення'" in story.payment().parked
    story.when(paid("2", 90_000, payment="p-2", purpose="Продаж валюти, угода №1"))
    assert on(story, "p-2") is None


def test_a_name_and_a_sum_alone_decide_nothing_and_are_named() -> None:
    story = given(deal("a", 90_000)).when(paid("1", 90_000, purpose="оплата", payer=Payer(name="Дячук Олег")))
    assert story.payment().parked.startswith(
        "It could be for D-1 (exactly 900.00 UAH is outstanding; its contact is called like the payer)."
    )


def test_an_account_of_a_company_that_pays_for_many_teaches_nothing() -> None:
    """The bug: a carrier's account became a customer's own, and all that it passed on was booked on her deals."""
    carrier = Payer(name="ТОВ «ПОСИЛКА ПЕЙ»", iban=IBAN, tax_id="58116928")
    story = given(deal("a", 90_000), deal("b", 70_000), deal("c", 30_000, MARTA, "Марта"))
    story.when(paid("1", 90_000, purpose="D-1", payer=carrier))
    assert not [one for one in story.every(IdentifierAdded) if one.kind in ("iban", "tax_id")]
    story.when(paid("2", 70_000, payment="p-2", purpose="післяплата", payer=carrier))
    assert on(story, "p-2") is None and "D-2 (exactly 700.00 UAH is outstanding)" in story.payment("p-2").parked


def test_an_account_that_several_people_were_paid_from_identifies_nobody() -> None:
    family = Payer(name="Вовчук Юлія", iban=IBAN)
    story = given(
        deal("a", 12_000, OLEH, "Ігор Вовчук"),
        deal("b", 8_000, VIRA, "Юлія Вовчук"),
        deal("c", 20_500, VIRA, "Юлія Вовчук"),
    )
    story.when(
        paid("1", 12_000, purpose="D-1", payer=family), paid("2", 8_000, payment="p-2", purpose="D-2", payer=family)
    )
    story.when(paid("3", 20_500, payment="p-3", purpose="ще одна", payer=family))
    assert on(story, "p-3") is None
    assert f"its payer's account {IBAN} was seen with several people" in story.payment("p-3").parked
    assert "D-3 (exactly 205.00 UAH is outstanding" in story.payment("p-3").parked


def test_an_account_whose_payer_is_called_otherwise_the_next_day_is_not_hers() -> None:
    story = given(deal("a", 12_000, MARTA, "Марта Левченко"), deal("b", 8_000, MARTA, "Марта Левченко"))
    story.when(paid("1", 12_000, purpose="D-1", payer=Payer(name="LEVCHENKO MARTA", iban=IBAN)))
    assert [one.value for one in story.every(IdentifierAdded) if one.kind == "iban"] == [IBAN]
    story.when(paid("2", 8_000, payment="p-2", payer=Payer(name="Голуб Степан", iban=IBAN)))
    assert on(story, "p-2") is None
    assert "its payer is called Голуб Степан, and was known as Марта Левченко" in story.payment("p-2").parked


def test_a_tax_number_of_zeros_is_nobodys() -> None:
    story = given(deal("a", 12_000)).when(paid("1", 12_000, purpose="D-1", payer=Payer(tax_id="0000000000")))
    assert not [one for one in story.every(IdentifierAdded) if one.kind == "tax_id"]


def test_a_payers_telephone_may_be_written_as_people_write_it() -> None:
    story = given(deal("a", 12_000)).when(paid("1", 12_000, payer=Payer(phone="050 111 22 33")))
    assert on(story) == 1


def test_money_that_is_worth_a_look_is_booked_and_marked() -> None:
    story = given(deal("a", 100_000)).when(paid("1", 105_000, purpose="D-1"))
    assert story.every(PaymentMatched)[0].suspicious == "it is 50.00 UAH more than was outstanding"
    story.moved(1, "won").when(paid("2", 105_000, refunded_minor=105_000, changed_at=NOON + 1))
    story.then(an(PaymentRecorded, suspicious="1050.00 UAH went back after D-1 was won"), an(DealPaid, paid_minor=0))


def test_no_money_goes_back_to_what_only_was_begun() -> None:
    """A gateway may tell a status that nobody knows after it has settled."""
    story = given(deal("a", 100_000)).when(paid("1", 100_000, purpose="D-1"))
    story.when(paid("2", 100_000, status="created", changed_at=NOON + 5))
    assert story.deal(1).paid_minor == 100_000
