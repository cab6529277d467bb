"""Chatwoot: what visitors and agents write
(https://www.chatwoot.com/docs/product/features/webhooks)."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest, expect_equal, expect_fresh
from crm.connector_settings import Country
from crm.errors import Refused
from crm.scalars import Micros
from services.connectors.chat import Channel
from services.connectors.chatwoot.activate import AccountId, Site, Token
from services.connectors.chatwoot.messages import message_report, status_of
from services.connectors.formats.exact_json import canonical, decode_object
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import required, text, whole_or_none

MESSAGES = ("message_created", "message_updated")


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an account."""

    signed: Annotated[
        bool, Meta(description="Whether this Chatwoot signs its webhooks: then what is not is refused.")
    ] = False
    country: Country = ""
    site: Site = ""
    account: AccountId = ""
    token: Token = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Newer versions sign "timestamp.body" with a secret of the webhook; for older ones the address is the proof."""
    if not connection.settings_as(Settings).signed:
        return
    stamp = delivery.headers.get("x-chatwoot-timestamp", "")
    mac = hmac.new(connection.secret.encode(), stamp.encode("utf-8", "replace") + b"." + delivery.body, hashlib.sha256)
    expect_equal(f"sha256={mac.hexdigest()}", delivery.headers.get("x-chatwoot-signature", ""))
    sent_at = moment_or_none(whole_or_none({"": stamp}, ""))
    if sent_at is None:
        raise Refused("The delivery does not say when it was signed. Nothing was kept.")
    expect_fresh(Micros(sent_at), delivery.received_at)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields the message; of one of ours that was updated, also how far it came. A note of the agents is no message."""
    body = decode_object(delivery.body)
    event, channel = required(body, "event"), Channel("chatwoot", delivery, text(body, "inbox", "id"))
    if event not in MESSAGES:
        yield channel.kept(event)
        return
    if body.get("private") is True:
        yield channel.kept("private note")
        return
    id = required(body, "id")
    updated = f"updated/{id}/{digest(canonical(body))[:16]}" if event == "message_updated" else ""
    report, chat = message_report(channel, id, body, country_of(connection), updated)
    yield report
    if updated and chat and (status := status_of(body)):
        yield channel.status(chat, id, status, None, text(body, "content_attributes", "external_error"))


WEBHOOK = Webhook(verify, parse)
