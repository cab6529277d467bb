"""Mailjet: a mail that came in (https://dev.mailjet.com/email/guides/parse-api/)."""

from collections.abc import Iterator

from python_multipart.multipart import parse_options_header

from crm.connector import Connection, Delivery, Report, Webhook
from services.connectors.formats.exact_json import Tree, decode
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, records, text, verbatim, whole_or_none
from services.connectors.mails.listed import Listed, files_of, headers_by_name, listed_file
from services.connectors.mails.mail import addresses, mail_of_headers
from services.connectors.mails.people import MailSettings
from services.connectors.mails.progress import Progress, progress
from services.connectors.mails.reports import mail_report
from services.connectors.mails.words import decoded, decoded_words
from services.connectors.signatures.basic import verify_password


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = decode(delivery.body)
    if not isinstance(body, dict) or "event" in body:  # of mails that were sent through Mailjet, alone or in a list
        events = records({"": body if isinstance(body, list) else [body]}, "")
        kind = text(body, "event") or "events"
        yield from progress(kind, map(progress_of, events), delivery, connection)
        return
    mail = mail_of_headers(
        headers_by_name({"From": body.get("From"), "Subject": body.get("Subject")})
        | headers_by_name(at(body, "Headers")),
        text=verbatim(body, "Text-part"),
        html=verbatim(body, "Html-part"),
        **files_of(file_of(part, body) for part in records(body, "Parts") if named(part).startswith("Attachment")),
    )
    yield mail_report(mail, delivery, connection.settings_as(MailSettings), addresses(text(body, "Recipient")))


def progress_of(event: Tree) -> Progress:
    """A bounce that is not hard is tried again by Mailjet."""
    kind, moment = text(event, "event"), moment_or_none(whole_or_none(event, "time"))
    status = STATUSES.get(kind, "")
    if kind == "bounce" and not (event.get("hard_bounce") or event.get("blocked")):
        status = ""
    why = ": ".join(filter(None, (text(event, "error"), text(event, "comment"))))
    return Progress(status, text(event, "CustomID"), moment, why, text(event, "Message_GUID"))


STATUSES = {"sent": "delivered", "open": "read", "bounce": "failed", "blocked": "failed"}


def named(part: Tree) -> str:
    return text(part, "ContentRef")


def file_of(part: Tree, body: Tree) -> Listed:
    """The content of a part is in the field that it names."""
    headers = headers_by_name(at(part, "Headers"))
    media, said = parse_options_header(headers.get("content-type", "").encode())
    _, shown = parse_options_header(headers.get("content-disposition", "").encode())
    name = decoded_words(decoded(shown.get(b"filename") or said.get(b"name") or b"", ""))
    return listed_file(
        name, media.decode("ascii", "replace"), headers.get("content-id", ""), data=text(body, named(part))
    )


WEBHOOK = Webhook(verify_password, parse)
