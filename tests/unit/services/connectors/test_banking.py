"""Given what a bank tells of a payment, then where it stands, to the kopeck."""

import json

import pytest

from crm.errors import Refused
from crm.facts import DeliveryKept, PaymentReported
from crm.shared import Payer
from tests.support.connector_deliveries import connection, json_post, only, receive
from tests.support.rehearse import (
    form,
    keys,
    liqpay_callback,
    monobank_invoice,
    monobank_signed,
    monobank_statement,
)

KEY, PUBLIC_KEY = keys()
MONO = connection("monobank", PUBLIC_KEY)
PERSONAL = connection("monobank-personal")
LIQPAY = connection("liqpay", "sandbox_key")
NINE = 1_791_190_860_000_000  # 2026-10-05T09:01:00Z


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("created", "created"),
        ("processing", "created"),
        ("hold", "held"),
        ("success", "settled"),
        ("failure", "failed"),
        ("reversed", "reversed"),
        ("expired", "expired"),
    ],
)
def test_a_monobank_invoice(said: str, status: str) -> None:
    payer = {"maskedPan": "444403******1902"}
    post = monobank_invoice(KEY, "p2_1", 120_050, status=said, reference="42", destination="Диван", paymentInfo=payer)
    fact = only(MONO, post)
    assert isinstance(fact, PaymentReported)
    assert (fact.provider, fact.payment, fact.status) == ("monobank", "p2_1", status)
    assert (fact.amount_minor, fact.currency, fact.refunded_minor) == (120_050, "UAH", 0)
    assert (fact.reference, fact.purpose, fact.payer) == ("42", "Диван", Payer(card="444403******1902"))
    assert (fact.changed_at, fact.meta.occurred_at) == (NINE, NINE)


@pytest.mark.parametrize(
    ("amount", "final", "cancelled", "paid", "refunded"),
    [
        (10_000, 10_000, [], 10_000, 0),
        (10_000, 7_000, [], 7_000, 0),  # a hold was finished with less
        (10_000, 7_000, [3_000], 10_000, 3_000),  # a refund is taken off the bank's finalAmount
        (10_000, 0, [4_000, 6_000], 10_000, 10_000),
        (10_000, 10_000, [3_000], 10_000, 3_000),  # … or is not
        (10_000, None, [3_000], 10_000, 3_000),
    ],
)
def test_refunds_are_added_up_and_not_taken_off(
    amount: int, final: int | None, cancelled: list[int], paid: int, refunded: int
) -> None:
    cancels = [{"status": "success", "amount": part} for part in cancelled]
    waiting = [{"status": "processing", "amount": 1}, {"status": "failure", "amount": 1}]
    fact = only(MONO, monobank_invoice(KEY, "p2_1", amount, finalAmount=final, cancelList=cancels + waiting))
    assert (fact.amount_minor, fact.refunded_minor) == (paid, refunded)


def test_an_invoice_in_euro_and_one_in_a_newer_state_are_facts_of_their_own() -> None:
    euro = only(MONO, monobank_invoice(KEY, "p2_1", 100, ccy=978))
    newer = only(MONO, monobank_invoice(KEY, "p2_1", 100, modifiedDate="2026-10-05T09:01:01Z"))
    assert (euro.currency, newer.currency) == ("EUR", "UAH")
    assert newer.changed_at == NINE + 1_000_000
    assert euro.meta.id != newer.meta.id
    assert euro.meta.stream == newer.meta.stream


@pytest.mark.parametrize("secret", ["no base64 at all", "AAAA"])
def test_a_public_key_that_cannot_be_read_refuses_everything(secret: str) -> None:
    with pytest.raises(Refused, match="Nothing was kept"):
        receive(connection("monobank", secret), monobank_invoice(KEY, "p2_1", 100))


def test_a_held_line_of_the_statement_then_settled_is_one_payment_and_the_settled_one_is_newer() -> None:
    held = only(PERSONAL, monobank_statement("Xf1", 50_000, hold=True, description="Від: Олена", comment="за №42"))
    settled = only(PERSONAL, monobank_statement("Xf1", 49_900, counterIban="UA89", counterName="Коваль О."))
    assert (held.payment, held.status, held.amount_minor, held.changed_at) == ("Xf1", "held", 50_000, NINE)
    assert (settled.payment, settled.status, settled.amount_minor) == ("Xf1", "settled", 49_900)
    assert settled.changed_at == NINE + 1
    assert (held.purpose, held.account) == ("Від: Олена\nза №42", "rehearsal")
    assert settled.payer == Payer(name="Коваль О.", iban="UA89")
    assert held.meta.id != settled.meta.id
    assert held.meta.stream == settled.meta.stream


@pytest.mark.parametrize(
    ("settings", "changes", "currency", "doubt"),
    [
        ({}, {}, "UAH", ""),
        ({}, {"currencyCode": 978}, "EUR", ""),
        ({}, {"currencyCode": 978, "operationAmount": 10_000}, "XXX", "which currency the account has is not known"),
        ({"currency": "UAH"}, {"currencyCode": 978, "operationAmount": 10_000}, "UAH", ""),
        ({"currency": "EUR", "currency.rehearsal": "980"}, {"currencyCode": 978, "operationAmount": 1}, "UAH", ""),
        ({"currency": "UAH"}, {"currencyCode": 978}, "XXX", "the connection's settings say UAH"),
        ({"currency": "UAH"}, {"operationAmount": 10_000}, "XXX", "the connection's settings say UAH"),
        ({"currency": "UAH"}, {"operationAmount": 481_000, "commissionRate": 1_000}, "UAH", ""),
        ({"currency": "UAH"}, {"currencyCode": "?", "operationAmount": None}, "UAH", ""),
    ],
)
def test_the_sum_of_a_line_is_in_the_accounts_currency(
    settings: dict[str, str], changes: dict[str, object], currency: str, doubt: str
) -> None:
    """The bug: 4,800 hryvnias that came out of 100 euros were taken for 4,800 euros, as `currencyCode` is the payer's
    side. It is said where nobody knows, or where the settings and the line disagree."""
    fact = only(connection("monobank-personal", **settings), monobank_statement("Xf1", 480_000, **changes))
    assert (fact.amount_minor, fact.currency, len(fact.doubts)) == (480_000, currency, bool(doubt))
    assert doubt in "".join(fact.doubts)


def test_what_the_settings_say_wrongly_is_said() -> None:
    line = monobank_statement("Xf1", 480_000, currencyCode=978, operationAmount=10_000)
    fact = only(connection("monobank-personal", currency="гроші"), line)
    assert fact.currency == "XXX"
    assert fact.doubts == (
        "the connection's setting of the account's currency is no currency: 'гроші'",
        "480000 in the account's smallest unit came out of 100.00 EUR, and which currency the account has is not "
        "known. It waits. Set the account's currency on the connection as `currency.<account>`; say this one's with "
        "paymentCorrect",
    )


def test_an_unknown_kind_of_notice_is_kept() -> None:
    fact = only(PERSONAL, json_post(b'{"type":"CardBlocked","data":{}}'))
    assert isinstance(fact, DeliveryKept)
    assert fact.kind == "CardBlocked"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("success", "settled"),
        ("wait_compensation", "settled"),
        ("hold_wait", "held"),
        ("failure", "failed"),
        ("error", "failed"),
        ("processing", "created"),
        ("something_new", "created"),
    ],
)
def test_a_liqpay_payment(said: str, status: str) -> None:
    post = liqpay_callback("sandbox_key", 77, "54.10", status=said, order_id="42", sender_phone="380671234567")
    fact = only(LIQPAY, post)
    assert (fact.provider, fact.payment, fact.status, fact.reference) == ("liqpay", "77", status, "42")
    assert (fact.amount_minor, fact.currency, fact.refunded_minor) == (5_410, "UAH", 0)
    assert (fact.payer.phone, fact.changed_at) == ("+380671234567", NINE)


def test_what_liqpay_pays_out_is_money_that_goes_out() -> None:
    """A payout to somebody's card, with the order's words, was booked as the order's payment."""
    fact = only(LIQPAY, liqpay_callback("sandbox_key", 77, "54.10", action="p2pcredit"))
    assert (fact.status, fact.amount_minor, fact.refunded_minor) == ("settled", -5_410, 0)


@pytest.mark.parametrize(
    ("changes", "status", "refunded"),
    [
        ({"status": "reversed"}, "reversed", 10_000),
        ({"status": "reversed", "refund_amount": 100}, "reversed", 10_000),
        ({"status": "reversed", "refund_amount": 30.5}, "settled", 3_050),  # in part: the rest stays paid
        ({"status": "success", "amount_return": "10"}, "settled", 1_000),
    ],
)
def test_a_liqpay_refund_whole_and_in_part(changes: dict[str, object], status: str, refunded: int) -> None:
    fact = only(LIQPAY, liqpay_callback("sandbox_key", 77, "100", **changes))
    assert (fact.status, fact.amount_minor, fact.refunded_minor) == (status, 10_000, refunded)


def test_two_partial_refunds_are_two_facts() -> None:
    posts = [liqpay_callback("sandbox_key", 77, "100", status="reversed", refund_amount=part) for part in (10, 20)]
    assert len({only(LIQPAY, post).meta.id for post in posts}) == 2


def test_test_payments_count_only_where_a_setting_says_so() -> None:
    post = liqpay_callback("sandbox_key", 77, "100", status="sandbox")
    assert isinstance(only(LIQPAY, post), DeliveryKept)
    assert only(connection("liqpay", "sandbox_key", sandbox="yes"), post).status == "settled"


def test_liqpays_longer_signature() -> None:
    post = liqpay_callback("sandbox_key", 77, "100", "sha3_256")
    assert only(LIQPAY, post).amount_minor == 10_000
    with pytest.raises(Refused):
        receive(connection("liqpay", "another"), post)


def test_another_liqpay_account_is_refused() -> None:
    own = connection("liqpay", "sandbox_key", public_key="i1")
    assert only(own, liqpay_callback("sandbox_key", 77, "100", public_key="i1")).account == "i1"
    with pytest.raises(Refused, match="public key does not match"):
        receive(own, liqpay_callback("sandbox_key", 77, "100", public_key="i2"))


def test_a_bare_form_at_liqpays_address_is_refused() -> None:
    with pytest.raises(Refused):
        receive(LIQPAY, form({"data": "", "signature": ""}))


def test_monobank_does_not_take_its_neighbours_json() -> None:
    body = json.dumps({"type": "StatementItem"}).encode()
    assert only(MONO, monobank_signed(KEY, body)).reason == "It does not say 'invoiceId'."
