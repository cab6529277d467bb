"""What all apps at Meta share: it signs each body with the app's secret and asks once whether an address is ours
(https://developers.facebook.com/docs/graph-api/webhooks/getting-started)."""

import hashlib
import hmac
from typing import Annotated

from msgspec import Meta

from crm.connector import Answer, Delivery, echo, expect_equal
from crm.errors import Malformed, Refused
from services.connectors.formats.exact_json import Tree
from services.connectors.formats.values import text

SIGNATURE = "x-hub-signature-256"
VERIFY_TOKEN = "The verify token: any text, typed here and at Meta next to the address. Without it Meta gets no answer."
VerifyToken = Annotated[str, Meta(description=VERIFY_TOKEN)]


def verify_meta(delivery: Delivery, secret: str) -> None:
    """Checks that the raw body was signed with the app's secret. Raises Refused."""
    expect_equal(meta_signature(delivery.body, secret), delivery.headers.get(SIGNATURE, ""))


def meta_signature(body: bytes, secret: str) -> str:
    """Returns the header's value for these bytes: `sha256=` and 64 digits of hex."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def answer_challenge(delivery: Delivery, token: str) -> Answer | None:
    """Answers Meta's question whether the address is ours; None for what is no such question.

    `token` is the verify token that was typed at Meta. Raises Refused for another one, and where none is set.
    """
    if delivery.method != "GET":
        return None
    query = delivery.parameters
    if query.get("hub.mode") != "subscribe":
        return None
    if not token:
        raise Refused("This connection has no verify token. Nothing was kept. Set it to what you typed at Meta.")
    expect_equal(token, query.get("hub.verify_token", ""), "verify token")
    return echo(query.get("hub.challenge", ""))


def expect_object(body: Tree, name: str) -> None:
    """Raises Malformed for a delivery of another product: one app signs all of them alike."""
    if text(body, "object") != name:
        found = text(body, "object") or "none"
        raise Malformed(f"Its object is {found!r}, not {name!r}: it belongs to another connection of the same app.")
