"""Postmark: mails that come in."""

from crm.connector import Connector
from services.connectors.mails.packed import repacked
from services.connectors.mails.people import SendingSettings
from services.connectors.postmark.send import SEND
from services.connectors.postmark.webhook import WEBHOOK
from services.connectors.signatures.basic import PASSWORD

TITLE = "Mails that Postmark receives"
CONNECTOR = Connector("postmark", "chats", WEBHOOK, TITLE, PASSWORD, SendingSettings, parts=repacked, send=SEND)
