"""Mailjet: mails that come in."""

from crm.connector import Connector
from services.connectors.mailjet.webhook import WEBHOOK
from services.connectors.mails.packed import repacked
from services.connectors.mails.people import MailSettings
from services.connectors.signatures.basic import PASSWORD

CONNECTOR = Connector(
    "mailjet", "chats", WEBHOOK, "Mails that Mailjet receives", PASSWORD, MailSettings, parts=repacked
)
