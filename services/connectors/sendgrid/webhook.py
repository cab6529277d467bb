"""Twilio SendGrid: Inbound Parse, parsed or raw
(https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook, expect_fresh
from crm.errors import Refused
from crm.scalars import Micros
from services.connectors.formats.exact_json import Tree, decode
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, records, text, whole_or_none
from services.connectors.mails.mail import Mail, addresses, mail_of_headers
from services.connectors.mails.people import SendingSettings
from services.connectors.mails.posted import Posted, posted
from services.connectors.mails.progress import REPLY, Progress, first_line, progress
from services.connectors.mails.reports import mail_report
from services.connectors.mails.rfc822 import headers_in, read_mail
from services.connectors.signatures.ecdsa import der_key, expect_signed, from_base64

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
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
        at = delivery.headers.get(TIMESTAMP, "")
        if not (at.isascii() and at.isdecimal() and len(at) <= 12):
            raise Refused("The signature does not say when it was made. Nothing was kept.")
        given = from_base64(delivery.headers.get(SIGNATURE, ""), "signature")
        for n, key in enumerate(keys, 1):
            try:
                expect_signed(der_key(key), given, at.encode() + delivery.body)
                break
            except Refused:
                if n == len(keys):
                    raise
        expect_fresh(Micros(int(at) * 1_000_000), delivery.received_at, REPEATS)


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


STATUSES = {"delivered": "delivered", "open": "read", "bounce": "failed", "dropped": "failed"}


def mail_of(form: Posted) -> Mail:
    """A mail that SendGrid took apart. `content-ids` says which files are pictures of its text."""
    headers = headers_in(form.fields.get("headers", b""))
    headers = {"from": form.text("from"), "to": form.text("to"), "cc": form.text("cc")} | headers
    inline = {id.strip("<> "): name for id, name in form.tree("content-ids").items() if isinstance(name, str)}
    return mail_of_headers(
        headers,
        **({"subject": subject} if (subject := form.text("subject")) else {}),
        text=form.text("text"),
        html=form.text("html"),
        files=form.attached(),
        inline={id: form.files[name].ref for id, name in inline.items() if name in form.files},
    )


WEBHOOK = Webhook(verify, parse)
