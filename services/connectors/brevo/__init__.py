"""Brevo: mails that come in."""

from crm.connector import Connector
from services.connectors.brevo.files import FILES, Settings
from services.connectors.brevo.webhook import WEBHOOK
from services.connectors.mails.packed import repacked
from services.connectors.signatures.basic import PASSWORD

CONNECTOR = Connector(
    "brevo", "chats", WEBHOOK, "Mails that Brevo receives", PASSWORD, Settings, files=FILES, parts=repacked
)
