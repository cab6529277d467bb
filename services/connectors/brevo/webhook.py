"""Brevo: mails that came in (https://developers.brevo.com/docs/inbound-parse-webhooks)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, records, text, verbatim, whole_or_none
from services.connectors.mails.listed import files_of, headers_by_name, listed_file, mailbox, mailboxes
from services.connectors.mails.mail import Mail, addresses, mail_of_headers, message_ids, thread
from services.connectors.mails.people import MailSettings
from services.connectors.mails.progress import Progress, progress
from services.connectors.mails.reports import each, mail_report
from services.connectors.signatures.basic import verify_password


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = decode_object(delivery.body)
    if event := text(body, "event"):  # of mails that were sent through Brevo
        yield from progress(event, [progress_of(event, body)], delivery, connection)
        return
    settings = connection.settings_as(MailSettings)

    def read(item: Tree) -> Report:
        mail = mail_of(item)
        recipients = item.get("Recipients")
        own = [one for one in recipients if isinstance(one, str)] if isinstance(recipients, list) else []
        return mail_report(mail, delivery, settings, addresses(*own, mail.headers.get("delivered-to", "")))

    yield from each(records(body, "items") or [body], read, delivery, connection)


HANDED_BACK = "X-Mailin-custom"  # a header that comes back with what Brevo says of the mail
STATUSES = {"delivered": "delivered"} | dict.fromkeys(("opened", "unique_opened"), "read")
STATUSES |= dict.fromkeys(("hard_bounce", "soft_bounce", "blocked", "invalid_email", "error"), "failed")


def progress_of(event: str, body: Tree) -> Progress:
    moment = moment_or_none(whole_or_none(body, "ts_event"))
    message = text(body, "message-id").strip("<>")
    return Progress(STATUSES.get(event, ""), text(body, HANDED_BACK), moment, text(body, "reason"), message)


def mail_of(item: Tree) -> Mail:
    """Brevo keeps the files for a while: a token takes one from its API."""
    headers = headers_by_name(at(item, "Headers"))
    files = (
        listed_file(
            text(one, "Name"),
            text(one, "ContentType"),
            text(one, "ContentID"),
            ref=text(one, "DownloadToken"),
            size=whole_or_none(one, "ContentLength") or 0,
        )
        for one in records(item, "Attachments")
    )
    reply = mailbox(at(item, "ReplyTo"), "Name", "Address")
    return mail_of_headers(
        headers,
        sender=mailbox(at(item, "From"), "Name", "Address"),
        to=mailboxes(records(item, "To"), "Name", "Address"),
        cc=mailboxes(records(item, "Cc"), "Name", "Address"),
        reply_to=(reply,) if reply.written else (),
        subject=text(item, "Subject"),
        message_id=next(iter(message_ids(text(item, "MessageId"))), ""),
        references=thread(headers.get("references", ""), text(item, "InReplyTo")),
        date=text(item, "SentAtDate"),
        text=verbatim(item, "RawTextBody"),
        html=verbatim(item, "RawHtmlBody"),
        **files_of(files),
    )


WEBHOOK = Webhook(verify_password, parse)
