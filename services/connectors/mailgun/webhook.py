"""Mailgun: a mail that a route forwarded, parsed or raw, and events
(https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal, expect_fresh
from crm.errors import Malformed, Refused
from services.connectors.formats.exact_json import Value, decode_object
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, records, text, whole_or_none
from services.connectors.mails.listed import headers_of_pairs, listed_file
from services.connectors.mails.mail import Mail, addresses
from services.connectors.mails.people import MailSettings
from services.connectors.mails.posted import Posted, mail_of_form, posted
from services.connectors.mails.progress import REPLY, Progress, first_line, progress
from services.connectors.mails.reports import kept, mail_report
from services.connectors.mails.rfc822 import read_mail
from services.connectors.signatures.hmac_sha256 import hex_digest, moment_signed

FIELDS = ("timestamp", "token", "signature")
STATUSES = {"delivered": "delivered", "opened": "read", "failed": "failed", "rejected": "failed"}
REPEATS = 86_400  # seconds: a mail is tried again for eight hours


def mac_of(key: str, at: str, token: str) -> str:
    return hex_digest(f"{at}{token}".encode("utf-8", "replace"), key)


def is_json(delivery: Delivery) -> bool:
    return delivery.body.lstrip()[:1] == b"{"


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the signature of time and token. Mailgun signs nothing else: the rest is as secret as the URL."""
    try:
        form = None if is_json(delivery) else posted(delivery)
        said = decode_object(delivery.body).get("signature") if form is None else None
        at, token, given = (text(said, name) if form is None else form.text(name) for name in FIELDS)
    except Malformed as error:
        raise Refused(f"{error} So it has no signature. Nothing was kept.") from None
    expect_equal(mac_of(connection.secret, at, token), given)
    expect_fresh(moment_signed(at), delivery.received_at, REPEATS)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    if is_json(delivery):  # of mails that were sent through Mailgun
        event = decode_object(delivery.body).get("event-data")
        kind = text(event, "event") or "without an event"
        yield from progress(kind, [progress_of(kind, event)], delivery, connection, text(event, "id"))
        return
    form = posted(delivery)
    if event := form.text("event"):
        yield from kept(connection.connector, event, delivery)
        return
    mail = read_mail(form.fields["body-mime"]) if form.fields.get("body-mime") else mail_of(form)
    settings = connection.settings_as(MailSettings)
    yield mail_report(mail, delivery, settings, addresses(form.text("recipient").replace(";", ",")))


def progress_of(kind: str, event: Value) -> Progress:
    """A failure that is temporary is tried again by Mailgun."""
    said = at(event, "delivery-status")
    why = first_line(text(said, "message") or text(said, "description")) or text(event, "reason")
    status = "" if text(event, "severity") == "temporary" else STATUSES.get(kind, "")
    moment = whole_or_none({"": text(event, "timestamp").partition(".")[0]}, "")
    return Progress(status, text(event, "user-variables", REPLY), moment_or_none(moment), why)


def mail_of(form: Posted) -> Mail:
    """A mail that Mailgun took apart. Files that it stored itself are listed in `attachments`."""
    headers = headers_of_pairs(form.json("message-headers"))
    known = {"from": form.text("from", "From", "sender"), "subject": form.text("subject", "Subject")}
    stored = (
        listed_file(
            text(one, "name"), text(one, "content-type"), "", ref=text(one, "url"), size=whole_or_none(one, "size") or 0
        ).file
        for one in records({"": form.json("attachments")}, "")  # type: ignore[dict-item]  # JSON
    )
    return mail_of_form(form, known | headers, "body-plain", "body-html", "content-id-map", stored=stored)


WEBHOOK = Webhook(verify, parse)
