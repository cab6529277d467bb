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
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import NOON, an, form, paid

OLENA, OTHER = "+380671234567", "+380501112233"
IBAN = "UA213223130000026007233566001"
PAYER = Payer(iban=IBAN)


def shop() -> OperatorSession:
    """D-1 of Olena and D-2 of Petro, each for 200.00 UAH; a payment that names D-1, of an account."""
    return operator_session(
        form("1", name="Olena", phones=[OLENA], amount_minor=20_000),
        form("2", name="Petro", phones=[OTHER], amount_minor=20_000),
        paid("1", 20_000, purpose="D-1", payer=PAYER),
    )


def test_unmatched_its_money_goes_back_and_what_it_taught_is_forgotten() -> None:
    session = shop()
    olena = session.contact("Olena")
    assert session.deal(1).stage == "paid" and f"iban:{IBAN}" in olena.identifiers
    session.do("payment_unmatch", payment_id=session.payment().payment_id, why="it was for D-2").then(
        an(PaymentUnmatched, deal_id=session.id_of(1), contact_id=olena.contact_id, why="it was for D-2"),
        an(DealPaid, change_minor=-20_000, paid_minor=0),
        an(DealStageMoved, from_stage="paid", stage="new"),
        an(IdentifierRemoved, contact_id=olena.contact_id, kind="iban", value=IBAN),
    )
    assert (session.payment().deal_id, session.payment().by_hand, session.payment().hints) == (None, True, ())
    session.refuses("payment_unmatch", "paymentId", Code.UNCHANGED, payment_id=session.payment().payment_id)


def test_no_rule_matches_again_what_a_person_unmatched() -> None:
    """Its bank reports it once more, and it still names D-1."""
    session = shop().do("payment_unmatch", payment_id=shop().payment().payment_id)
    session.when(paid("again", 20_000, purpose="D-1", payer=PAYER, changed_at=NOON + 1, refunded_minor=1))
    session.then(an(PaymentRecorded))
    session.when(form("3", phones=["+380630000001"]))
    assert [session.deal(n).paid_minor for n in (1, 2, 3)] == [0, 0, 0]


def test_matched_by_hand_it_counts_and_its_payer_is_known() -> None:
    session = shop().do("payment_unmatch", payment_id=shop().payment().payment_id)
    petro = session.contact("Petro")
    session.do("payment_match", payment_id=session.payment().payment_id, deal_id=session.id_of(2)).then(
        an(PaymentMatched, deal_id=session.id_of(2), contact_id=petro.contact_id, by="hand", why="by hand"),
        an(DealPaid, paid_minor=20_000),
        an(DealStageMoved, stage="paid"),
        an(IdentifierAdded, contact_id=petro.contact_id, kind="iban", value=IBAN),
    )
    session.when(paid("refund", 20_000, purpose="D-1", changed_at=NOON + 1, refunded_minor=5_000))
    assert [session.deal(n).paid_minor for n in (1, 2)] == [0, 15_000]


def test_a_parked_payment_waits_no_more_once_it_is_matched() -> None:
    session = shop().when(paid("2", 500, payment="p-2", reference="INV-9"))
    session.do(
        "payment_match", payment_id=session.payment("p-2").payment_id, deal_id=session.id_of(2), why="she said so"
    )
    assert session.payment("p-2").hints == ()
    session.when(form("3", phones=["+380630000001"], reference="INV-9"))
    assert [session.deal(n).paid_minor for n in (2, 3)] == [500, 0]


def test_what_cannot_be_matched() -> None:
    session = shop().when(
        paid("usd", 500, payment="usd", currency="USD", purpose="D-1"),
        paid("out", -500, payment="out"),
        paid("p", 7, payment="p"),
    )
    one, two = session.id_of(1), session.id_of(2)
    id = session.payment().payment_id
    session.refuses("payment_match", "dealId", Code.UNCHANGED, payment_id=id, deal_id=one)
    session.refuses("payment_match", "paymentId", Code.IN_USE, payment_id=id, deal_id=two)
    message = session.refuses(
        "payment_match", "dealId", Code.CURRENCY_MISMATCH, payment_id=session.payment("usd").payment_id, deal_id=one
    )
    assert message == "The payment is in USD and D-1 in UAH; money is never converted. Nothing was changed."
    session.refuses(
        "payment_match", "paymentId", Code.INVALID, payment_id=session.payment("out").payment_id, deal_id=one
    )
    session.refuses("payment_match", "dealId", Code.NOT_FOUND, payment_id=id, deal_id=id)
    session.refuses("payment_match", "paymentId", Code.NOT_FOUND, payment_id=one, deal_id=one)
    session.refuses(
        "payment_match", "expectedVersion", Code.VERSION_CONFLICT,
        payment_id=session.payment("p").payment_id, deal_id=one, expected_version=99,
    )  # fmt: skip


def test_held_money_goes_back_too() -> None:
    session = operator_session(
        form("1", phones=[OLENA], amount_minor=100), paid("1", 100, status="held", purpose="D-1")
    )
    assert session.deal(1).held_minor == 100
    session.do("payment_unmatch", payment_id=session.payment().payment_id)
    assert (session.deal(1).held_minor, session.deal(1).stage) == (0, "new")


def test_a_deal_that_somebody_put_further_on_stays_there() -> None:
    session = shop().do("deal_win", deal_id=shop().id_of(1))
    session.do("payment_unmatch", payment_id=session.payment().payment_id)
    assert (session.deal(1).stage, session.deal(1).paid_minor) == ("won", 0)


def test_moved_its_money_counts_elsewhere_and_teaches_there() -> None:
    session = shop()
    olena, petro = session.contact("Olena"), session.contact("Petro")
    session.do(
        "payment_move", payment_id=session.payment().payment_id, deal_id=session.id_of(2), why="Petro rang"
    ).then(
        an(PaymentUnmatched, deal_id=session.id_of(1), contact_id=olena.contact_id, why="Petro rang"),
        an(DealPaid, change_minor=-20_000),
        an(DealStageMoved, from_stage="paid", stage="new"),
        an(IdentifierRemoved, contact_id=olena.contact_id, kind="iban", value=IBAN),
        an(PaymentMatched, deal_id=session.id_of(2), contact_id=petro.contact_id, by="hand", why="Petro rang"),
        an(DealPaid, change_minor=20_000, paid_minor=20_000),
        an(DealStageMoved, stage="paid"),
        an(IdentifierAdded, contact_id=petro.contact_id, kind="iban", value=IBAN),
    )
    id = session.payment().payment_id
    session.refuses("payment_move", "dealId", Code.UNCHANGED, payment_id=id, deal_id=session.id_of(2))


def test_what_another_payment_has_shown_too_stays_known() -> None:
    session = shop().when(paid("2", 1_000, payment="p-2", purpose="D-1", payer=PAYER))
    session.do("payment_unmatch", payment_id=session.payment("p-2").payment_id)
    assert f"iban:{IBAN}" in session.contact("Olena").identifiers


def test_split_each_deal_has_its_share_and_a_refund_is_taken_from_the_last() -> None:
    session = shop().when(paid("2", 50_000, payment="p-2"))
    id, one, two = session.payment("p-2").payment_id, session.id_of(1), session.id_of(2)
    session.do("payment_unmatch", payment_id=session.payment().payment_id)
    shares = [{"deal_id": one, "minor": 20_000}, {"deal_id": two, "minor": 30_000}]
    session.do("payment_split", payment_id=id, shares=shares, why="for both").then(
        an(PaymentShared, deal_id=one, share_minor=20_000, why="200.00 UAH of 500.00 UAH: for both"),
        an(PaymentShared, deal_id=two, share_minor=30_000, why="300.00 UAH of 500.00 UAH: for both"),
        an(DealPaid, deal_id=one, change_minor=20_000),
        an(DealStageMoved, stage="paid"),
        an(DealPaid, deal_id=two, change_minor=30_000),
        an(DealStageMoved, stage="paid"),
    )
    session.refuses("payment_split", "shares", Code.UNCHANGED, payment_id=id, shares=shares)
    session.refuses("payment_match", "paymentId", Code.IN_USE, payment_id=id, deal_id=one)
    session.when(paid("back", 50_000, payment="p-2", refunded_minor=35_000, changed_at=NOON + 1))
    assert [session.deal(n).paid_minor for n in (1, 2)] == [15_000, 0]
    session.do("payment_split", payment_id=id, shares=[shares[1], shares[0]])
    assert [session.deal(n).paid_minor for n in (1, 2)] == [0, 15_000]
    session.do("payment_unmatch", payment_id=id)
    assert [session.deal(n).paid_minor for n in (1, 2)] == [0, 0]
    assert (session.payment("p-2").shares, session.payment("p-2").by_hand) == ((), True)


def test_what_cannot_be_split() -> None:
    session = shop().when(form("usd", name="Vira", phones=["+380931112233"], amount_minor=5, currency="USD"))
    id, one, two, usd = session.payment().payment_id, *(session.id_of(n) for n in (1, 2, 3))
    half = {"deal_id": one, "minor": 10_000}
    message = session.refuses(
        "payment_split", "shares", Code.INVALID, payment_id=id, shares=[half, {"deal_id": two, "minor": 1}]
    )
    assert message == "The shares make 100.01 UAH, and the payment is 200.00 UAH. Nothing was changed."
    session.refuses("payment_split", "shares", Code.INVALID, payment_id=id, shares=[half])
    session.refuses("payment_split", "shares", Code.INVALID, payment_id=id, shares=[half, half])
    other = [half, {"deal_id": usd, "minor": 10_000}]
    session.refuses("payment_split", "shares.1.dealId", Code.CURRENCY_MISMATCH, payment_id=id, shares=other)


def test_a_currency_that_was_misread_is_put_right_for_later_reports_too() -> None:
    """The bug: 4,800 hryvnias out of 100 euros were taken for 4,800 euros."""
    session = operator_session(
        form("1", name="Olena", phones=[OLENA], amount_minor=480_000), paid("1", 480_000, currency="XXX", purpose="D-1")
    )
    id = session.payment().payment_id
    assert "the money is in a currency that is not known" in session.payment().parked
    refused = session.refuses(
        "payment_match", "dealId", Code.CURRENCY_MISMATCH, payment_id=id, deal_id=session.id_of(1)
    )
    assert refused == "The payment's currency is not known: say it with paymentCorrect first. Nothing was changed."
    session.do(
        "payment_correct", payment_id=id, amount={"minor": 480_000, "currency": "UAH"}, why="a card in UAH"
    ).then(
        an(PaymentCorrected, reported_currency="XXX", currency="UAH", amount_minor=480_000, why="a card in UAH"),
        an(PaymentMatched, by="number"),
        an(DealPaid, paid_minor=480_000),
        an(DealStageMoved, stage="paid"),
    )
    session.when(paid("back", 480_000, currency="XXX", refunded_minor=80_000, changed_at=NOON + 1))
    assert (session.deal(1).paid_minor, session.payment().currency) == (400_000, "UAH")
    same = {"minor": 480_000, "currency": "UAH"}
    session.refuses("payment_correct", "amount", Code.UNCHANGED, payment_id=id, amount=same)


def test_money_that_turns_out_to_be_in_another_currency_leaves_the_deal() -> None:
    session = shop().do(
        "payment_correct", payment_id=shop().payment().payment_id, amount={"minor": 20_000, "currency": "USD"}
    )
    session.then(
        an(PaymentCorrected, currency="USD", why="it was taken for 200.00 UAH"),
        an(DealPaid, change_minor=-20_000),
        an(DealStageMoved, stage="new"),
        an(PaymentUnmatched, why="it is 200.00 USD"),
        an(IdentifierRemoved, kind="iban"),
    )


def test_a_sum_that_was_misread_is_put_right_where_it_is_counted() -> None:
    session = shop()
    session.do("payment_correct", payment_id=session.payment().payment_id, amount={"minor": 2_000}).then(
        an(PaymentCorrected, reported_minor=20_000, amount_minor=2_000, currency="UAH"),
        an(DealPaid, change_minor=-18_000, paid_minor=2_000),
        an(DealStageMoved, stage="part_paid"),
    )
