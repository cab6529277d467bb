"""Typeform: a response that was submitted (https://www.typeform.com/developers/webhooks/)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal
from services.connectors.formats.bodies import read_body
from services.connectors.formats.times import iso_or_none
from services.connectors.formats.values import required, text
from services.connectors.signatures.hmac_sha256 import base64_signature
from services.connectors.submissions.layouts import typed_answers
from services.connectors.submissions.reports import Sent, kept, submitted

SIGNATURE = "typeform-signature"
SUBMITTED = "form_response"


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks `sha256=` and the HMAC-SHA256 of the body in base64."""
    expect_equal(base64_signature(delivery.body, connection.secret), delivery.headers.get(SIGNATURE, ""))


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    if (kind := text(body.tree, "event_type")) not in ("", SUBMITTED):
        yield kept(kind, delivery, connection)  # form_response_partial: its sender has not submitted it
        return
    token = required(body.tree, SUBMITTED, "token")
    sent_at = iso_or_none(text(body.tree, SUBMITTED, "submitted_at"))
    yield from submitted(body, Sent(typed_answers(body.tree), f"response/{token}", sent_at), delivery, connection)


WEBHOOK = Webhook(verify, parse)
