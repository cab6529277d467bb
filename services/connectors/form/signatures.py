"""Signatures of form builders; a form that nobody signs is authenticated by its unguessable URL alone."""

import base64
import hashlib
import hmac
import json
from typing import Annotated, Literal

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, expect_equal, expect_fresh
from crm.connector_settings import Country, Currency
from crm.errors import Malformed, Refused
from services.connectors.formats.bodies import URLENCODED, kind_of, read_body
from services.connectors.formats.times import from_seconds


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a site's forms."""

    country: Country = ""
    currency: Currency = ""
    honeypot: Annotated[
        str,
        Meta(
            description="Names of fields that people do not see, separated by commas: a form that fills one in is "
            "marked as suspicious.",
            examples=["website_url"],
        ),
    ] = ""
    redirect_hosts: Annotated[
        str,
        Meta(
            description="Hosts to which the field `_next` of a form may send its sender, separated by commas. Empty: "
            "the sender sees a page that says thank you.",
            examples=["www.example.com"],
        ),
    ] = ""
    token: Annotated[
        str, Meta(description="A text that each form must send in the header X-Form-Token or as a bearer token.")
    ] = ""
    signed: Annotated[
        Literal["", "wpforms", "typeform"],
        Meta(description="The form builder that signs with the connection's secret. Empty: nothing is signed."),
    ] = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the token and the form builder's signature where the settings ask for them. Raises Refused."""
    settings = connection.settings_as(Settings)
    if settings.token:
        bearer = delivery.headers.get("authorization", "").removeprefix("Bearer ")
        expect_equal(settings.token, delivery.headers.get("x-form-token", bearer), "token")
    match settings.signed:
        case "wpforms":
            _wpforms(delivery, connection.secret)
        case "typeform":
            mac = hmac.digest(connection.secret.encode(), delivery.body, hashlib.sha256)
            signature = delivery.headers.get("typeform-signature", "")
            expect_equal("sha256=" + base64.b64encode(mac).decode(), signature)


def _wpforms(delivery: Delivery, secret: str) -> None:
    """WPForms' webhooks add-on: `t=<unix>,v=<hex HMAC-SHA256 of "{t}.{body}">`."""
    header = delivery.headers.get("x-wpforms-webhook-signature", "")
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    sent = parts.get("t", "")
    if not (sent.isascii() and sent.isdecimal() and len(sent) <= 12):
        raise Refused("The signature does not say when it was made. Nothing was kept.")
    signed = delivery.body
    if kind_of(delivery.content_type).media == URLENCODED:
        signed = _as_php_json(delivery)  # it signs the fields as JSON and then sends them as a form
    expected = hmac.new(secret.encode(), sent.encode() + b"." + signed, hashlib.sha256).hexdigest()
    expect_equal(expected, parts.get("v", ""))
    try:
        expect_fresh(from_seconds(int(sent)), delivery.received_at)
    except Malformed as error:
        raise Refused(f"{error} Nothing was kept.") from None


def _as_php_json(delivery: Delivery) -> bytes:
    """wp_json_encode: no spaces, other letters and slashes escaped."""
    try:
        tree = read_body(delivery, as_sent=True).tree
    except Malformed:
        return delivery.body
    return json.dumps(tree, separators=(",", ":"), default=str).replace("/", "\\/").encode()
