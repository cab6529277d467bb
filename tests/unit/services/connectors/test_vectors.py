"""Every published signature is accepted, and refused once anything about it has changed."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from crm.connector import Connection
from crm.errors import Refused
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED
from tests.support.connector_deliveries import JSON, NOW, connection, delivery, http_post
from tests.support.needs import needs_samples
from tests.support.rehearse import Post, form, keys
from tests.support.vendor_samples import FOLDER, body, form_connection, published_vector

OTHER_POINT = "BNDZP+AGoRC+ER1plDSUCHOw2/aBNIocmD2gS/v34/b0iQ1HBo+oS3/f402e3OXA5uCxakSjuxGMP6X0XP9VIUo="


class Vector(NamedTuple):
    """A published delivery, the header or field of its signature, and a connection with a wrong secret."""

    name: str
    connection: Connection
    post: Post
    signed_by: str
    stranger: Connection
    at: int = NOW


def vectors() -> Iterator[Vector]:
    if not FOLDER.is_dir():
        return
    mono = published_vector("monobank-acquiring/invoice_created")
    post = {"content-type": JSON, "x-sign": mono["headers"]["X-Sign"]}, body("monobank-acquiring/invoice_created.json")
    own, other = connection("monobank", str(mono["pubkey_field_base64_of_pem"])), connection("monobank", keys("x")[1])
    yield Vector("monobank acquiring", own, post, "x-sign", other)

    line = published_vector("monobank-personal/statement_item_jar_topup")
    headers = {"content-type": JSON, "x-sign": line["headers"]["X-Sign"]}
    own = connection("monobank-personal", public_key=str(line["server_pubkey_uncompressed_point_b64"]))
    other = connection("monobank-personal", public_key=OTHER_POINT)
    yield Vector(
        "monobank personal", own, (headers, body("monobank-personal/statement_item_jar_topup.json")), "x-sign", other
    )

    for name in ("callback_min", "signature_checkout"):
        pay = published_vector(f"liqpay/{name}")
        own, other = connection("liqpay", str(pay["private_key"])), connection("liqpay", "another")
        yield Vector(f"liqpay {name}", own, form({k: pay[k] for k in ("data", "signature")}), "signature", other)

    headers = {
        "content-type": JSON,
        "typeform-signature": published_vector("typeform/form_response")["headers"]["Typeform-Signature"],
    }
    other = connection("form", "654321", signed="typeform")
    typeform = headers, body("typeform/form_response.json")
    yield Vector("typeform", form_connection("typeform"), typeform, "typeform-signature", other)

    own, other = connection("typeform", "123456"), connection("typeform", "654321")
    yield Vector("typeform's own connector", own, typeform, "typeform-signature", other)

    lead = published_vector("facebook-leadgen/signature")
    post = {"content-type": JSON, "x-hub-signature-256": lead["expected"]}, lead["body"].encode()
    own, other = connection("facebook-leads", lead["app_secret"]), connection("facebook-leads", "another")
    yield Vector("facebook leads", own, post, "x-hub-signature-256", other)

    own, other = connection("wpforms", "TEST_wpforms_secret"), connection("wpforms", "another")
    post = http_post(FOLDER / "wpforms/json.http.txt")
    yield Vector("wpforms' own connector", own, post, "x-wpforms-webhook-signature", other, 1_791_158_447_000_000)

    other = connection("form", "another", signed="wpforms")
    signature, sent_at = "x-wpforms-webhook-signature", 1_791_158_447_000_000
    post = http_post(FOLDER / "wpforms/json.http.txt")
    yield Vector("wpforms", form_connection("wpforms"), post, signature, other, sent_at)

    callback = published_vector("viber/webhook_signed")
    signature = "x-viber-content-signature"
    post = {signature: callback["headers"]["X-Viber-Content-Signature"]}, callback["body"].encode()
    yield Vector("viber", connection("viber", callback["auth_token"]), post, signature, connection("viber", "another"))

    message = published_vector("whatsapp/signature")
    signature = "x-hub-signature-256"
    post = {signature: message["expected"]}, message["body"].encode()
    own, other = connection("whatsapp", message["app_secret"]), connection("whatsapp", "another")
    yield Vector("whatsapp", own, post, signature, other)

    head = dict(line.split(": ") for line in body("telegram/headers.txt").decode().splitlines()[1:] if line)
    token = {name.lower(): value for name, value in head.items()}
    post = token, body("telegram/message_text.json")
    own, other = connection("telegram", "TEST_secret-token_123"), connection("telegram", "another")
    yield Vector("telegram", own, post, "x-telegram-bot-api-secret-token", other)


each = pytest.mark.parametrize("vector", [pytest.param(v, id=v.name) for v in vectors()])
each_of_its_body = pytest.mark.parametrize(
    "vector",
    [pytest.param(v, id=v.name) for v in vectors() if v.name != "telegram"],  # which signs no body
)


def verify(who: Connection, post: Post, at: int) -> None:
    CONNECTORS[who.connector].webhook.verify(delivery(post, at), who)


def refused(who: Connection, post: Post, at: int) -> None:
    with pytest.raises(Refused, match=r"(?i)nothing was kept"):
        CONNECTORS[who.connector].receive(delivery(post, at), who)


@needs_samples
@each
def test_it_is_accepted(vector: Vector) -> None:
    verify(vector.connection, vector.post, vector.at)


@needs_samples
@each
def test_one_byte_changed_in_the_signature_is_refused(vector: Vector) -> None:
    headers, sent = vector.post
    if vector.signed_by in headers:
        sign = headers[vector.signed_by]
        for place in range(len(sign)):
            changed = sign[:place] + ("A" if sign[place] != "A" else "B") + sign[place + 1 :]
            refused(vector.connection, (headers | {vector.signed_by: changed}, sent), vector.at)
    else:
        start = sent.index(b"signature=") + 10
        changed_byte = b"A" if sent[start : start + 1] != b"A" else b"B"
        refused(vector.connection, (headers, sent[:start] + changed_byte + sent[start + 1 :]), vector.at)


@needs_samples
@each_of_its_body
def test_one_byte_changed_in_the_body_is_refused(vector: Vector) -> None:
    headers, sent = vector.post
    place = len(sent) // 3
    changed = sent[:place] + bytes([sent[place] ^ 1]) + sent[place + 1 :]
    refused(vector.connection, (headers, changed), vector.at)


@needs_samples
@each
def test_a_missing_signature_is_refused(vector: Vector) -> None:
    headers, sent = vector.post
    if vector.signed_by in headers:
        refused(vector.connection, ({k: v for k, v in headers.items() if k != vector.signed_by}, sent), vector.at)
    else:
        refused(vector.connection, (headers, sent.partition(b"&signature=")[0]), vector.at)


@needs_samples
@each
def test_another_secret_and_none_are_refused(vector: Vector) -> None:
    refused(vector.stranger, vector.post, vector.at)
    off = connection(vector.connection.connector, "", **vector.connection.settings)
    with pytest.raises(Refused, match="it is off"):
        CONNECTORS[off.connector].receive(delivery(vector.post, vector.at), off)


@needs_samples
def test_the_signature_that_liqpays_own_helper_makes_by_mistake_is_refused() -> None:
    pay = published_vector("liqpay/callback_min")
    wrong = form({"data": pay["data"], "signature": pay["negative"]["signature"]})
    refused(connection("liqpay", str(pay["private_key"])), wrong, NOW)


@needs_samples
def test_an_old_wpforms_delivery_is_refused() -> None:
    vector = next(found for found in vectors() if found.name == "wpforms")
    refused(vector.connection, vector.post, vector.at + 301_000_000)


def test_wpforms_in_form_mode_signs_the_fields_as_php_writes_json() -> None:
    """The add-on signs JSON with escaped slashes and letters, then sends the same fields as a form."""
    signed = json.dumps({"name": "Ян", "page": "https://a.example/"}, separators=(",", ":")).replace("/", "\\/")
    mac = hmac.new(b"TEST_secret", f"1791190920.{signed}".encode(), hashlib.sha256).hexdigest()
    headers, sent = form({"name": "Ян", "page": "https://a.example/"})
    headers["x-wpforms-webhook-signature"] = f"t=1791190920,v={mac}"
    verify(connection("form", signed="wpforms"), (headers, sent), NOW)
    assert headers["content-type"] == URLENCODED
