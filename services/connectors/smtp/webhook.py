"""A mail as it travels, message/rfc822: what a mail server hands on."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal
from crm.errors import Malformed
from services.connectors.mails.people import SendingSettings
from services.connectors.mails.reports import delivered_to, mail_report
from services.connectors.mails.rfc822 import read_mail
from services.connectors.mails.submission import SmtpHost, SmtpPort

TOKEN = "x-mail-token"


class Settings(SendingSettings, frozen=True, gc=False):
    """The settings of a connection to a mailbox."""

    token: Annotated[str, Meta(description="A text that the mail server must send in the header X-Mail-Token.")] = ""
    smtp_host: SmtpHost = ""
    smtp_port: SmtpPort = 587
    smtp_user: Annotated[str, Meta(description="Who logs in there; its password is send_key.")] = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    if token := connection.settings_as(Settings).token:
        expect_equal(token, delivery.headers.get(TOKEN, ""), "token")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    if not delivery.body.strip() or delivery.body.lstrip()[:1] in (b"{", b"["):
        raise Malformed("It is no mail: send it as it is, as message/rfc822.")
    mail = read_mail(delivery.body)
    sent = delivery.parameters.get("sent", "") == "yes"
    yield mail_report(mail, delivery, connection.settings_as(Settings), delivered_to(mail), is_sent=sent)


WEBHOOK = Webhook(verify, parse, secret_headers=frozenset((TOKEN,)))
