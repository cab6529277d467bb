"""How form builders that sign prove themselves; those that do not are proved by the unguessable address alone."""

import base64
import hashlib
import hmac
import json

from crm.connector import Connection, Delivery, expect_equal, expect_fresh
from crm.errors import Malformed, Refused
from services.connectors.formats.bodies import URLENCODED, kind_of, read_body
from services.connectors.formats.times import from_seconds


def verify(delivery: Delivery, connection: Connection) -> None:
    """settings["signed"] names the builder that signs; settings["token"], when set, must come in a header."""
    if token := connection.settings.get("token"):
        bearer = delivery.headers.get("authorization", "").removeprefix("Bearer ")
        expect_equal(token, delivery.headers.get("x-form-token", bearer), "token")
    match connection.settings.get("signed", ""):
        case "":
            return
        case "wpforms":
            _wpforms(delivery, connection.secret)
        case "typeform":
            mac = hmac.digest(connection.secret.encode(), delivery.body, hashlib.sha256)
            signature = delivery.headers.get("typeform-signature", "")
            expect_equal("sha256=" + base64.b64encode(mac).decode(), signature)
        case other:
            raise Refused(f"Nothing is known of {other!r} signatures, so nothing was kept. Set wpforms or typeform.")


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
