"""PayPal: an event about a payment (https://developer.paypal.com/api/rest/webhooks/rest/)."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from crm.connector import Connection, Delivery, Report, Webhook, expect_fresh
from crm.errors import Refused
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.times import from_iso, iso_or_none
from services.connectors.formats.values import at, required, text
from services.connectors.payments import expect_merchant
from services.connectors.paypal.resources import READERS
from services.connectors.repeats import kept
from services.connectors.signatures.certificates import address_at, is_signed
from services.connectors.signatures.ecdsa import from_base64

HOST = "paypal.com"
ALGORITHMS = ("SHA256withRSA", "sha256")
TRIES = 4 * 24 * 3600  # seconds: PayPal tries for three days, and the id of an event makes a repeat harmless


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a webhook of a PayPal app."""

    certificate: Annotated[
        str,
        Meta(description="PayPal's signing certificate as PEM or base64 of it; several in one text while it changes."),
    ] = ""
    merchant_id: Annotated[str, Meta(description="The merchant's ID: payments to others are refused.")] = ""


def signed_text(headers: Mapping[str, str], webhook_id: str, body: bytes) -> str:
    """Returns what PayPal signs: the CRC-32 stands for the body."""
    given = (headers.get(f"paypal-transmission-{name}", "") for name in ("id", "time"))
    return "|".join((*given, webhook_id, str(zlib.crc32(body))))


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the RSA signature with the connection's certificate: intake fetches nothing that a stranger names."""
    headers, url = delivery.headers, address_at(HOST, delivery.headers.get("paypal-cert-url", ""))
    if headers.get("paypal-auth-algo", "") not in ALGORITHMS:
        raise Refused("It is not signed with RSA and SHA-256. Nothing was kept.")
    certificate = connection.settings_as(Settings).certificate
    if not certificate:
        raise Refused(f"This connection has no certificate. Nothing was kept. Set the one at {url}.")
    signature = from_base64(headers.get("paypal-transmission-sig", ""), "signature")
    signed = signed_text(headers, connection.secret, delivery.body).encode("utf-8", "replace")
    sent_at = iso_or_none(headers.get("paypal-transmission-time", ""))
    if sent_at is None:
        raise Refused("The signature does not say when it was made. Nothing was kept.")
    expect_fresh(sent_at, delivery.received_at, TRIES)
    if not is_signed(certificate, HOST, signature, signed, sent_at):
        raise Refused(
            "The signature does not match. Nothing was kept. Check the webhook's ID; if PayPal has changed its "
            f"certificate, add the one at {url} to this connection's: PayPal tries again for three days."
        )


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    event = decode_object(delivery.body)
    id, kind, resource = required(event, "id"), required(event, "event_type"), at(event, "resource")
    reader = READERS.get(kind.rpartition(".")[0])
    if reader is None or not isinstance(resource, dict):
        yield kept("paypal", kind, delivery, id)
        return
    expect_merchant(text(resource, "payee", "merchant_id"), connection.settings_as(Settings).merchant_id)
    changed_at = from_iso(text(resource, "update_time") or text(event, "create_time"))
    for number, report in enumerate(reader(resource, kind, changed_at)):
        yield replace(report, key=f"{id}/{number}")


WEBHOOK = Webhook(verify, parse)
