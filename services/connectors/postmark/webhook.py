"""Postmark: a mail that came in (https://postmarkapp.com/developer/webhooks/inbound-webhook)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.times import iso_or_none
from services.connectors.formats.values import at, first, records, text, verbatim, whole_or_none
from services.connectors.mails.listed import files_of, headers_of, listed_file, mailbox, mailboxes
from services.connectors.mails.mail import addresses, mail_of_headers
from services.connectors.mails.people import MailSettings
from services.connectors.mails.progress import REPLY, Progress, progress
from services.connectors.mails.reports import mail_report
from services.connectors.signatures.basic import verify_password


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = decode_object(delivery.body)
    if kind := text(body, "RecordType"):  # of mails that were sent through Postmark
        yield from progress(kind, [progress_of(kind, body)], delivery, connection)
        return
    files = (
        listed_file(
            text(one, "Name"),
            text(one, "ContentType"),
            text(one, "ContentID"),
            data=text(one, "Data"),
            size=whole_or_none(one, "ContentLength") or 0,
        )
        for one in records(body, "Attachments")
    )
    headers = headers_of(records(body, "Headers"), "Name", "Value")
    mail = mail_of_headers(
        headers,
        sender=mailbox(at(body, "FromFull"), "Name", "Email"),
        to=mailboxes(records(body, "ToFull"), "Name", "Email"),
        cc=mailboxes(records(body, "CcFull"), "Name", "Email"),
        bcc=mailboxes(records(body, "BccFull"), "Name", "Email"),
        reply_to=addresses(text(body, "ReplyTo")),
        subject=text(body, "Subject"),
        date=text(body, "Date"),
        text=verbatim(body, "TextBody"),
        html=verbatim(body, "HtmlBody"),
        **({} if "message-id" in headers else {"message_id": text(body, "MessageID")}),
        **files_of(files),
    )
    yield mail_report(mail, delivery, connection.settings_as(MailSettings), addresses(text(body, "OriginalRecipient")))


# https://postmarkapp.com/developer/api/bounce-api#bounce-types; of the others the mail has come, or may still come
NOT_GIVEN_UP = {"Transient", "Subscribe", "Unsubscribe", "AutoResponder", "AddressChange", "OpenRelayTest", "Unknown"}
NOT_GIVEN_UP |= {"SpamComplaint", "ChallengeVerification"}
STATUSES = {"Delivery": "delivered", "Open": "read", "Bounce": "failed"}


def progress_of(kind: str, body: Tree) -> Progress:
    status = "" if text(body, "Type") in NOT_GIVEN_UP else STATUSES.get(kind, "")
    moment = iso_or_none(first(body, "DeliveredAt", "ReceivedAt", "BouncedAt"))
    why = text(body, "Details").removeprefix("smtp;") or text(body, "Description")
    return Progress(status, text(body, "Metadata", REPLY), moment, why)


WEBHOOK = Webhook(verify_password, parse)
