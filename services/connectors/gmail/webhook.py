"""Gmail: the notice that something is new in a mailbox, and a message as the API gives it with format=raw
(https://developers.google.com/workspace/gmail/api/guides/push)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook
from crm.connector_settings import Since
from crm.errors import Malformed, Refused
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.times import moment_of_millis
from services.connectors.formats.values import at, records, text, texts, whole_or_none
from services.connectors.gmail.payload import read_payload
from services.connectors.mails.people import MailSettings
from services.connectors.mails.reports import delivered_to, kept, mail_report
from services.connectors.mails.rfc822 import read_mail
from services.connectors.signatures.google_token import CERTS, verify_google
from services.connectors.signatures.jwt import from_base64url

NO_MAILS = {"DRAFT": "draft", "SPAM": "spam", "TRASH": "trash", "CHAT": "chat"}


class Settings(MailSettings, frozen=True, gc=False, kw_only=True):
    """The settings of a connection to a mailbox."""

    service_account: Annotated[
        str,
        Meta(
            description="The service account of the push subscription: notices of others are refused. Leave it out "
            "where Potik asks for the mails and nothing is pushed.",
            examples=["gmail-push@project.iam.gserviceaccount.com"],
        ),
    ] = ""
    oauth: Annotated[
        str,
        Meta(
            description="Three parts with colons between them: the id and the secret of an OAuth client of Google's, "
            "and a refresh token for the mailbox with the scope gmail.readonly. With it Potik asks for the mails."
        ),
    ] = ""
    since: Since = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the token that Google signs for the address of this connection."""
    account = connection.settings_as(Settings).service_account
    if not account:
        raise Refused("This connection takes no notices. Nothing was kept. Set service_account to the subscription's.")
    verify_google(delivery, delivery.base + delivery.path, account)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """A notice says only that there is something new; the messages are asked for."""
    body = decode_object(delivery.body)
    labels = texts(body, "labelIds")
    if "raw" not in body and not records(body, "payload", "headers"):
        notice = text(body, "message", "messageId")
        yield from kept(connection.connector, "notice" if notice else "no message", delivery, notice)
    elif other := next((NO_MAILS[label] for label in labels if label in NO_MAILS), ""):
        yield from kept(connection.connector, other, delivery)
    else:
        yield report_of(body, "SENT" in labels, delivery, connection)


def report_of(body: Tree, is_sent: bool, delivery: Delivery, connection: Connection) -> Report:
    try:
        if "raw" in body:
            mail = read_mail(from_base64url(str(at(body, "raw")).rstrip("=")))
        else:
            mail = read_payload(at(body, "payload"))
    except ValueError:
        raise Malformed("What it holds is no base64url.") from None
    sent_at = moment_of_millis(whole_or_none(body, "internalDate"))
    settings = connection.settings_as(Settings)
    return mail_report(mail, delivery, settings, delivered_to(mail), is_sent=is_sent, sent_at=sent_at)


WEBHOOK = Webhook(verify, parse, keys=(CERTS,))
