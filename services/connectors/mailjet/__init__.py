"""Mailjet: mails that come in."""

from crm.connector import Connector
from services.connectors.mailjet.send import SEND
from services.connectors.mailjet.webhook import WEBHOOK
from services.connectors.mails.packed import repacked
from services.connectors.mails.people import SendingSettings
from services.connectors.signatures.basic import PASSWORD

TITLE = "Mails that Mailjet receives"
CONNECTOR = Connector("mailjet", "chats", WEBHOOK, TITLE, PASSWORD, SendingSettings, parts=repacked, send=SEND)
