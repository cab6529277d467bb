"""Resend: the notice of a mail, which has no text, and the mail as its API gives it
(https://resend.com/docs/dashboard/receiving/introduction)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook
from crm.connector_settings import Since
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.times import iso_or_none
from services.connectors.formats.values import at, first, records, text, texts, verbatim
from services.connectors.mails.listed import files_of, headers_by_name, headers_of, listed_file
from services.connectors.mails.mail import NOBODY, addresses, mail_of_headers, message_ids
from services.connectors.mails.people import AnswerSettings
from services.connectors.mails.progress import REPLY, Progress, progress
from services.connectors.mails.reports import mail_report
from services.connectors.signatures.standard_webhooks import verify_standard

STATUSES = {"email.delivered": "delivered", "email.opened": "read"}
STATUSES |= dict.fromkeys(("email.bounced", "email.failed", "email.suppressed"), "failed")


class Settings(AnswerSettings, frozen=True, gc=False):
    """The settings of a connection to an account."""

    api_key: Annotated[
        str,
        Meta(
            description="A key of the API with full access: resend.com, API keys. With it Potik sends answers, and "
            "asks for the mails, whose text no notice has. It begins with re_."
        ),
    ] = ""
    since: Since = ""


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """The text comes with the answer of GET /emails/receiving/ID; until then the mail is there without it."""
    body = decode_object(delivery.body)
    kind = text(body, "type")
    if text(body, "object") != "email" and kind != "email.received":  # of mails that were sent through Resend
        yield from progress(kind or "without a type", [progress_of(kind, body)], delivery, connection)
        return
    mail = body if text(body, "object") == "email" else at(body, "data")
    headers = headers_by_name(at(mail, "headers")) or headers_of(records(mail, "headers"), "name", "value")
    files = (
        listed_file(text(one, "filename"), text(one, "content_type"), text(one, "content_id"), ref=text(one, "id"))
        for one in records(mail, "attachments")
    )
    read = mail_of_headers(
        headers,
        sender=next(iter(addresses(text(mail, "from"))), NOBODY),
        to=addresses(*texts(mail, "to")),
        cc=addresses(*texts(mail, "cc")),
        bcc=addresses(*texts(mail, "bcc")),
        reply_to=addresses(*texts(mail, "reply_to")) or addresses(headers.get("reply-to", "")),
        subject=text(mail, "subject"),
        message_id=next(iter(message_ids(text(mail, "message_id"))), text(mail, "email_id") or text(mail, "id")),
        date="",
        text=verbatim(mail, "text"),
        html=verbatim(mail, "html"),
        **files_of(files),
    )
    settings, sent_at = connection.settings_as(Settings), iso_or_none(text(mail, "created_at"))
    yield mail_report(read, delivery, settings, sent_at=sent_at)


def progress_of(kind: str, body: Tree) -> Progress:
    mail = at(body, "data")
    listed = {text(one, "name"): text(one, "value") for one in records(mail, "tags")}
    why = first(at(mail, "bounce"), "message", "subType") or text(mail, "failed", "reason")
    reply, moment = text(mail, "tags", REPLY) or listed.get(REPLY, ""), iso_or_none(text(body, "created_at"))
    return Progress(STATUSES.get(kind, ""), reply, moment, why, text(mail, "email_id"))


WEBHOOK = Webhook(verify_standard, parse)
