"""Payments matched and unmatched by hand: money is where somebody says it is, and no rule takes it back."""

from crm.commands import Code
from crm.events import (
    DealPaid,
    DealStageMoved,
    IdentifierAdded,
    IdentifierRemoved,
    PaymentCorrected,
    PaymentMatched,
    PaymentRecorded,
    PaymentShared,
    PaymentUnmatched,
)
from crm.shared import Payer
from tests.support.operator import AtTheDesk, at_the_desk
from tests.support.scenarios import NOON, an, form, paid

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


def test_moved_its_money_counts_elsewhere_and_teaches_there() -> None:
    desk = shop()
    olena, petro = desk.contact("Olena"), desk.contact("Petro")
    desk.do("payment_move", payment_id=desk.payment().payment_id, deal_id=desk.id_of(2), why="Petro rang").then(
        an(PaymentUnmatched, deal_id=desk.id_of(1), contact_id=olena.contact_id, why="Petro rang"),
        an(DealPaid, change_minor=-20_000),
        an(DealStageMoved, from_stage="paid", stage="new"),
        an(IdentifierRemoved, contact_id=olena.contact_id, kind="iban", value=IBAN),
        an(PaymentMatched, deal_id=desk.id_of(2), contact_id=petro.contact_id, by="hand", why="Petro rang"),
        an(DealPaid, change_minor=20_000, paid_minor=20_000),
        an(DealStageMoved, stage="paid"),
        an(IdentifierAdded, contact_id=petro.contact_id, kind="iban", value=IBAN),
    )
    id = desk.payment().payment_id
    desk.refuses("payment_move", "dealId", Code.UNCHANGED, payment_id=id, deal_id=desk.id_of(2))


def test_what_another_payment_has_shown_too_stays_known() -> None:
    desk = shop().when(paid("2", 1_000, payment="p-2", purpose="D-1", payer=PAYER))
    desk.do("payment_unmatch", payment_id=desk.payment("p-2").payment_id)
    assert f"iban:{IBAN}" in desk.contact("Olena").identifiers


def test_split_each_deal_has_its_share_and_a_refund_is_taken_from_the_last() -> None:
    desk = shop().when(paid("2", 50_000, payment="p-2"))
    id, one, two = desk.payment("p-2").payment_id, desk.id_of(1), desk.id_of(2)
    desk.do("payment_unmatch", payment_id=desk.payment().payment_id)
    shares = [{"deal_id": one, "minor": 20_000}, {"deal_id": two, "minor": 30_000}]
    desk.do("payment_split", payment_id=id, shares=shares, why="for both").then(
        an(PaymentShared, deal_id=one, share_minor=20_000, why="200.00 UAH of 500.00 UAH: for both"),
        an(PaymentShared, deal_id=two, share_minor=30_000, why="300.00 UAH of 500.00 UAH: for both"),
        an(DealPaid, deal_id=one, change_minor=20_000),
        an(DealStageMoved, stage="paid"),
        an(DealPaid, deal_id=two, change_minor=30_000),
        an(DealStageMoved, stage="paid"),
    )
    desk.refuses("payment_split", "shares", Code.UNCHANGED, payment_id=id, shares=shares)
    desk.refuses("payment_match", "paymentId", Code.IN_USE, payment_id=id, deal_id=one)
    desk.when(paid("back", 50_000, payment="p-2", refunded_minor=35_000, changed_at=NOON + 1))
    assert [desk.deal(n).paid_minor for n in (1, 2)] == [15_000, 0]
    desk.do("payment_split", payment_id=id, shares=[shares[1], shares[0]])
    assert [desk.deal(n).paid_minor for n in (1, 2)] == [0, 15_000]
    desk.do("payment_unmatch", payment_id=id)
    assert [desk.deal(n).paid_minor for n in (1, 2)] == [0, 0]
    assert (desk.payment("p-2").shares, desk.payment("p-2").by_hand) == ((), True)


def test_what_cannot_be_split() -> None:
    desk = shop().when(form("usd", name="Vira", phones=["+380931112233"], amount_minor=5, currency="USD"))
    id, one, two, usd = desk.payment().payment_id, *(desk.id_of(n) for n in (1, 2, 3))
    half = {"deal_id": one, "minor": 10_000}
    told = desk.refuses(
        "payment_split", "shares", Code.INVALID, payment_id=id, shares=[half, {"deal_id": two, "minor": 1}]
    )
    assert told == "The shares make 100.01 UAH, and the payment is 200.00 UAH. Nothing was changed."
    desk.refuses("payment_split", "shares", Code.INVALID, payment_id=id, shares=[half])
    desk.refuses("payment_split", "shares", Code.INVALID, payment_id=id, shares=[half, half])
    other = [half, {"deal_id": usd, "minor": 10_000}]
    desk.refuses("payment_split", "shares.1.dealId", Code.CURRENCY_MISMATCH, payment_id=id, shares=other)


def test_a_currency_that_was_misread_is_put_right_for_later_reports_too() -> None:
    """The bug: 4,800 hryvnias out of 100 euros were taken for 4,800 euros."""
    desk = at_the_desk(
        form("1", name="Olena", phones=[OLENA], amount_minor=480_000), paid("1", 480_000, currency="XXX", purpose="D-1")
    )
    id = desk.payment().payment_id
    assert "the money is in a currency that is not known" in desk.payment().parked
    refused = desk.refuses("payment_match", "dealId", Code.CURRENCY_MISMATCH, payment_id=id, deal_id=desk.id_of(1))
    assert refused == "The payment's currency is not known: say it with paymentCorrect first. Nothing was changed."
    desk.do("payment_correct", payment_id=id, amount={"minor": 480_000, "currency": "UAH"}, why="a card in UAH").then(
        an(PaymentCorrected, reported_currency="XXX", currency="UAH", amount_minor=480_000, why="a card in UAH"),
        an(PaymentMatched, by="number"),
        an(DealPaid, paid_minor=480_000),
        an(DealStageMoved, stage="paid"),
    )
    desk.when(paid("back", 480_000, currency="XXX", refunded_minor=80_000, changed_at=NOON + 1))
    assert (desk.deal(1).paid_minor, desk.payment().currency) == (400_000, "UAH")
    same = {"minor": 480_000, "currency": "UAH"}
    desk.refuses("payment_correct", "amount", Code.UNCHANGED, payment_id=id, amount=same)


def test_money_that_turns_out_to_be_in_another_currency_leaves_the_deal() -> None:
    desk = shop().do(
        "payment_correct", payment_id=shop().payment().payment_id, amount={"minor": 20_000, "currency": "USD"}
    )
    desk.then(
        an(PaymentCorrected, currency="USD", why="it was taken for 200.00 UAH"),
        an(DealPaid, change_minor=-20_000),
        an(DealStageMoved, stage="new"),
        an(PaymentUnmatched, why="it is 200.00 USD"),
        an(IdentifierRemoved, kind="iban"),
    )


def test_a_sum_that_was_misread_is_put_right_where_it_is_counted() -> None:
    desk = shop()
    desk.do("payment_correct", payment_id=desk.payment().payment_id, amount={"minor": 2_000}).then(
        an(PaymentCorrected, reported_minor=20_000, amount_minor=2_000, currency="UAH"),
        an(DealPaid, change_minor=-18_000, paid_minor=2_000),
        an(DealStageMoved, stage="part_paid"),
    )
