"""Twilio SendGrid: Inbound Parse, parsed or raw
(https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook, expect_fresh
from services.connectors.formats.exact_json import Tree, decode
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, records, text, whole_or_none
from services.connectors.mails.mail import Mail, addresses
from services.connectors.mails.people import SendingSettings
from services.connectors.mails.posted import Posted, mail_of_form, posted
from services.connectors.mails.progress import REPLY, Progress, first_line, progress
from services.connectors.mails.reports import mail_report
from services.connectors.mails.rfc822 import headers_in, read_mail
from services.connectors.signatures.ecdsa import expect_signed_by_one, from_base64
from services.connectors.signatures.hmac_sha256 import moment_signed

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
STATUSES = {"delivered": "delivered", "open": "read", "bounce": "failed", "dropped": "failed"}
REPEATS = 4 * 86_400  # seconds: a mail is tried again for three days


class Settings(SendingSettings, frozen=True, gc=False):
    """The settings of a connection to a parse webhook."""

    public_key: Annotated[
        str,
        Meta(
            description="The public key of the webhook's signature, at SendGrid under Mail Settings. With it, a "
            "delivery without SendGrid's signature is refused. Where Inbound Parse and Event Webhook sign with keys of "
            "their own, give both, with a comma between."
        ),
    ] = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the ECDSA signature of time and body, where there is a key for it."""
    if keys := connection.settings_as(Settings).public_key.replace(",", " ").split():
        given, at = from_base64(delivery.headers.get(SIGNATURE, ""), "signature"), delivery.headers.get(TIMESTAMP, "")
        expect_signed_by_one(keys, given, at.encode() + delivery.body)
        expect_fresh(moment_signed(at), delivery.received_at, REPEATS)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    if delivery.body.lstrip()[:1] in (b"[", b"{"):  # of mails that were sent through SendGrid
        events = decode(delivery.body)
        yield from progress("events", map(progress_of, records({"": events}, "")), delivery, connection)
        return
    form = posted(delivery, "charsets")
    recipients = at(form.tree("envelope"), "to")
    own = addresses(*(one for one in recipients if isinstance(one, str))) if isinstance(recipients, list) else ()
    mail = read_mail(form.fields["email"]) if form.fields.get("email") else mail_of(form)
    yield mail_report(mail, delivery, connection.settings_as(Settings), own)


def progress_of(event: Tree) -> Progress:
    why = first_line(text(event, "reason") or text(event, "response"))
    moment = moment_or_none(whole_or_none(event, "timestamp"))
    return Progress(STATUSES.get(text(event, "event"), ""), text(event, REPLY), moment, why)


def mail_of(form: Posted) -> Mail:
    """A mail that SendGrid took apart. `content-ids` says which files are pictures of its text."""
    headers = headers_in(form.fields.get("headers", b""))
    headers = {"from": form.text("from"), "to": form.text("to"), "cc": form.text("cc")} | headers
    return mail_of_form(form, headers, "text", "html", "content-ids", subject=form.text("subject"))


WEBHOOK = Webhook(verify, parse)
