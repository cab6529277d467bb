"""The published signatures of payment gateways, each exactly; and what their samples of our own cannot show."""

import base64
import hashlib
import json
from typing import Any

import pytest

from crm.connector import Connection
from crm.errors import Refused
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.connectors.fondy import webhook as fondy
from services.connectors.formats.exact_json import decode_object
from services.connectors.paypal import rehearse as paypal_rehearse
from services.connectors.paypal.webhook import signed_text
from services.connectors.rehearsal import Post, form_post, json_bytes, json_post
from services.connectors.stripe.rehearse import event, signed
from services.connectors.wayforpay.rehearse import notice
from tests.support.connector_deliveries import JSON, NOW, connection, delivery, only, receive
from tests.support.needs import needs_samples
from tests.support.vendor_samples import FOLDER, body, published_vector


def verify(who: Connection, post: Post, at: int = NOW) -> None:
    webhook = CONNECTORS[who.connector].webhook
    assert webhook
    webhook.verify(delivery(post, at), who)


def vectors(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.vectors.json").read_text("utf-8"))


@needs_samples
def test_wayforpays_notice_and_the_acceptance_that_it_wants() -> None:
    vector, sent = published_vector("wayforpay/service_url_approved"), body("wayforpay/service_url_approved.json")
    who, wanted = connection("wayforpay", vector["secret"]), vector["response_required"]
    webhook = CONNECTORS["wayforpay"].webhook
    assert webhook
    for post in (({"content-type": JSON}, sent), form_post({sent.decode(): ""})):
        verify(who, post)
        answer = webhook.answer(delivery(post, wanted["time"] * 1_000_000), who, ())
        assert (answer.status, json.loads(answer.body)) == (200, wanted)
    with pytest.raises(Refused, match="merchant account"):
        verify(connection("wayforpay", vector["secret"], merchant_account="another"), ({}, sent))


@needs_samples
def test_fondys_callbacks_and_requests() -> None:
    expired, *requests = vectors("fondy/signature")
    order = decode_object(body("fondy/callback_expired.json"))["response"]
    assert isinstance(order, dict)
    assert fondy.sign("test", order) == expired["expected"] == order["signature"]
    verify(connection("fondy", "test", merchant_id="1396424"), json_post({"response": order}))
    for request in requests:
        key, *values = request["string_to_sign"].split("|")
        assert fondy.sign(key, dict(zip("abc", values, strict=False))) == request["expected"]


def test_fondys_form_and_protocol_2() -> None:
    who = connection("fondy", "test")
    order: dict[str, Any] = {"merchant_id": "1", "order_id": "7", "order_status": "approved", "amount": "5410"}
    order |= {"currency": "UAH", "tran_type": "purchase", "reversal_amount": "0", "merchant_data": "Диван & стіл"}
    order |= {"order_time": "05.10.2026 12:01:00", "additional_info": '{"capture_status": "hold"}'}
    as_form = only(who, form_post(order | {"signature": fondy.sign("test", order)}))
    data = base64.b64encode(json_bytes({"order": order})).decode()
    signature = hashlib.sha1(f"test|{data}".encode()).hexdigest()
    as_data = only(who, json_post({"response": {"version": "2.0", "data": data, "signature": signature}}))
    for fact in (as_form, as_data):
        assert (fact.status, fact.amount_minor, fact.purpose, fact.doubts) == ("held", 5410, "Диван & стіл", ())
    assert as_form.meta.id == as_data.meta.id
    stranger = connection("fondy", "test", merchant_id="2")
    assert only(stranger, json_post({"data": data, "signature": signature})).reason.startswith("It is of merchant '1'")


@needs_samples
def test_stripes_cases() -> None:
    vector = vectors("stripe/signature")
    who = connection("stripe", vector["secret"])
    for case in vector["cases"]:
        post = {"stripe-signature": case["header"]}, case.get("body", vector["payload"]).encode()
        try:
            verify(who, post, case["now"] * 1_000_000)
            accepted = True
        except Refused:
            accepted = False
        assert accepted == case["ok"], case["name"]
    assert len(vector["cases"]) == 6


@needs_samples
def test_what_paypal_signs() -> None:
    vector = published_vector("paypal/verify")
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    assert signed_text(headers, vector["webhook_id"], vector["body"].encode()) == vector["string_to_sign"]
    with pytest.raises(
        Refused, match=r"no certificate\. Nothing was kept\. Set the one at https://api\.sandbox\.paypal"
    ):
        verify(connection("paypal", vector["webhook_id"]), (headers, vector["body"].encode()))
    other = connection("paypal", vector["webhook_id"], certificate=paypal_rehearse.keys("x")[1])
    with pytest.raises(Refused, match=r"add the one at https://api\.sandbox\.paypal\.com/v1/notifications/certs/CERT"):
        verify(other, (headers, vector["body"].encode()), 1_431_963_913_000_000)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://api.paypal.com/cert",
        "https://api.paypal.com.evil.example/cert",
        "https://evilpaypal.com/cert",
        "https://api.paypal.com@evil.example/cert",
        "https://evil.example/api.paypal.com",
        "https://api.paypal.com:8443/cert",
        "https://[::1/cert",
        "https://api.paypal.com/" + "a" * 300,
    ],
)
def test_a_certificate_that_is_not_paypals_is_refused(url: str) -> None:
    key, pem = paypal_rehearse.keys("x")
    who = connection("paypal", "WH", certificate=pem)
    post = paypal_rehearse.signed(key, "WH", b"{}", Micros(NOW), url)
    with pytest.raises(Refused, match=r"not of paypal\.com"):
        verify(who, post)


def test_paypals_certificates_old_and_new_in_one_text_and_no_other_hosts() -> None:
    key, pem = paypal_rehearse.keys("x")
    post = paypal_rehearse.signed(key, "WH", b"{}", Micros(NOW))
    both = paypal_rehearse.keys("old")[1] + pem
    for given in (pem, both, base64.b64encode(both.encode()).decode()):
        verify(connection("paypal", "WH", certificate=given), post)
    with pytest.raises(Refused, match="cannot be read"):
        verify(connection("paypal", "WH", certificate="nothing"), post)
    with pytest.raises(Refused, match="does not match"):
        verify(connection("paypal", "another webhook", certificate=pem), post)
    key, pem = paypal_rehearse.keys("x", "paypal.com.evil.example")
    with pytest.raises(Refused, match="does not match"):
        verify(connection("paypal", "WH", certificate=pem), paypal_rehearse.signed(key, "WH", b"{}", Micros(NOW)))


def test_a_certificate_signs_only_while_it_is_valid() -> None:
    key, pem = paypal_rehearse.keys("x")
    year_2040 = Micros(2_208_988_800_000_000)
    with pytest.raises(Refused, match="does not match"):
        verify(
            connection("paypal", "WH", certificate=pem), paypal_rehearse.signed(key, "WH", b"{}", year_2040), year_2040
        )


def test_stripes_test_payments_count_only_where_a_setting_says_so() -> None:
    charge = {"id": "ch_1", "object": "charge", "amount": 100, "currency": "uah", "status": "succeeded"}
    headers, sent = event("s", "charge.succeeded", charge)
    assert only(connection("stripe", "s"), (headers, sent)).amount_minor == 100
    test_event = sent.replace(b'"livemode":true', b'"livemode":false')
    assert only(connection("stripe", "s"), signed("s", test_event)).kind == "charge.succeeded in test mode"
    assert only(connection("stripe", "s", test_mode="yes"), signed("s", test_event)).amount_minor == 100


def test_two_merchants_of_one_workspace_have_orders_of_one_number() -> None:
    """One payment would have been made of two: the number of an order is unique for its merchant only."""
    facts = [
        receive(connection("wayforpay", "s"), notice("s", "1001", "54.10", merchantAccount=account))[0]
        for account in ("shop_a", "shop_b")
    ]
    assert len({fact.payment for fact in facts}) == 2  # type: ignore[attr-defined]  # each is a PaymentReported
