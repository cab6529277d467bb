"""Brevo: mails that come in."""

from crm.connector import Connector
from services.connectors.brevo.files import FILES, Settings
from services.connectors.brevo.send import SEND
from services.connectors.brevo.webhook import WEBHOOK
from services.connectors.mails.packed import repacked
from services.connectors.signatures.basic import PASSWORD

TITLE = "Mails that Brevo receives"
CONNECTOR = Connector("brevo", "chats", WEBHOOK, TITLE, PASSWORD, Settings, files=FILES, parts=repacked, send=SEND)
