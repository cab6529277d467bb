"""Postmark: mails that come in."""

from crm.connector import Connector
from services.connectors.mails.packed import repacked
from services.connectors.mails.people import MailSettings
from services.connectors.postmark.webhook import WEBHOOK
from services.connectors.signatures.basic import PASSWORD

CONNECTOR = Connector(
    "postmark", "chats", WEBHOOK, "Mails that Postmark receives", PASSWORD, MailSettings, parts=repacked
)
