"""Payments matched and unmatched by hand: money is where somebody says it is, and no rule takes it back."""

from crm.commands import Code
from crm.events import (
    DealPaid,
    DealStageMoved,
    IdentifierAdded,
    IdentifierRemoved,
    PaymentMatched,
    PaymentRecorded,
    PaymentUnmatched,
)
from crm.shared import Payer
from tests.by_hand import AtTheDesk, at_the_desk
from tests.given import NOON, an, form, paid

OLENA, OTHER = "+380671234567", "+380501112233"
IBAN = "UA213223130000026007233566001"
PAYER = Payer(iban=IBAN)


def shop() -> AtTheDesk:
    """D-1 of Olena and D-2 of Petro, each for 200.00 UAH; a payment that names D-1, of an account."""
    return at_the_desk(
        form("1", name="Olena", phones=[OLENA], amount_minor=20_000),
        form("2", name="Petro", phones=[OTHER], amount_minor=20_000),
        paid("1", 20_000, purpose="D-1", payer=PAYER),
    )


def test_unmatched_its_money_goes_back_and_what_it_taught_is_forgotten() -> None:
    desk = shop()
    olena = desk.contact("Olena")
    assert desk.deal(1).stage == "paid" and f"iban:{IBAN}" in olena.identifiers
    desk.do("payment_unmatch", payment_id=desk.payment().payment_id, why="it was for D-2").then(
        an(PaymentUnmatched, deal_id=desk.id_of(1), contact_id=olena.contact_id, why="it was for D-2"),
        an(DealPaid, change_minor=-20_000, paid_minor=0),
        an(DealStageMoved, from_stage="paid", stage="new"),
        an(IdentifierRemoved, contact_id=olena.contact_id, kind="iban", value=IBAN),
    )
    assert (desk.payment().deal_id, desk.payment().by_hand, desk.payment().hints) == (None, True, ())
    desk.refuses("payment_unmatch", "paymentId", Code.UNCHANGED, payment_id=desk.payment().payment_id)


def test_no_rule_matches_again_what_a_person_unmatched() -> None:
    """Its bank reports it once more, and it still names D-1."""
    desk = shop().do("payment_unmatch", payment_id=shop().payment().payment_id)
    desk.when(paid("again", 20_000, purpose="D-1", payer=PAYER, changed_at=NOON + 1, refunded_minor=1))
    desk.then(an(PaymentRecorded))
    desk.when(form("3", phones=["+380630000001"]))
    assert [desk.deal(n).paid_minor for n in (1, 2, 3)] == [0, 0, 0]


def test_matched_by_hand_it_counts_and_its_payer_is_known() -> None:
    desk = shop().do("payment_unmatch", payment_id=shop().payment().payment_id)
    petro = desk.contact("Petro")
    desk.do("payment_match", payment_id=desk.payment().payment_id, deal_id=desk.id_of(2)).then(
        an(PaymentMatched, deal_id=desk.id_of(2), contact_id=petro.contact_id, by="hand", why="by hand"),
        an(DealPaid, paid_minor=20_000),
        an(DealStageMoved, stage="paid"),
        an(IdentifierAdded, contact_id=petro.contact_id, kind="iban", value=IBAN),
    )
    desk.when(paid("refund", 20_000, purpose="D-1", changed_at=NOON + 1, refunded_minor=5_000))
    assert [desk.deal(n).paid_minor for n in (1, 2)] == [0, 15_000]


def test_a_parked_payment_waits_no_more_once_it_is_matched() -> None:
    desk = shop().when(paid("2", 500, payment="p-2", reference="INV-9"))
    desk.do("payment_match", payment_id=desk.payment("p-2").payment_id, deal_id=desk.id_of(2), why="she said so")
    assert desk.payment("p-2").hints == ()
    desk.when(form("3", phones=["+380630000001"], reference="INV-9"))
    assert [desk.deal(n).paid_minor for n in (2, 3)] == [500, 0]


def test_what_cannot_be_matched() -> None:
    desk = shop().when(
        paid("usd", 500, payment="usd", currency="USD", purpose="D-1"),
        paid("out", -500, payment="out"),
        paid("p", 7, payment="p"),
    )
    one, two = desk.id_of(1), desk.id_of(2)
    id = desk.payment().payment_id
    desk.refuses("payment_match", "dealId", Code.UNCHANGED, payment_id=id, deal_id=one)
    desk.refuses("payment_match", "paymentId", Code.IN_USE, payment_id=id, deal_id=two)
    told = desk.refuses(
        "payment_match", "dealId", Code.CURRENCY_MISMATCH, payment_id=desk.payment("usd").payment_id, deal_id=one
    )
    assert told == "The payment is in USD and D-1 in UAH; money is never converted. Nothing was changed."
    desk.refuses("payment_match", "paymentId", Code.INVALID, payment_id=desk.payment("out").payment_id, deal_id=one)
    desk.refuses("payment_match", "dealId", Code.NOT_FOUND, payment_id=id, deal_id=id)
    desk.refuses("payment_match", "paymentId", Code.NOT_FOUND, payment_id=one, deal_id=one)
    desk.refuses(
        "payment_match", "expectedVersion", Code.VERSION_CONFLICT,
        payment_id=desk.payment("p").payment_id, deal_id=one, expected_version=99,
    )  # fmt: skip


def test_held_money_goes_back_too() -> None:
    desk = at_the_desk(form("1", phones=[OLENA], amount_minor=100), paid("1", 100, status="held", purpose="D-1"))
    assert desk.deal(1).held_minor == 100
    desk.do("payment_unmatch", payment_id=desk.payment().payment_id)
    assert (desk.deal(1).held_minor, desk.deal(1).stage) == (0, "new")


def test_a_deal_that_somebody_put_further_on_stays_there() -> None:
    desk = shop().do("deal_win", deal_id=shop().id_of(1))
    desk.do("payment_unmatch", payment_id=desk.payment().payment_id)
    assert (desk.deal(1).stage, desk.deal(1).paid_minor) == ("won", 0)
