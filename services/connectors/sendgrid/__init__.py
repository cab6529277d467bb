"""SendGrid: mails that come in."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.mails.packed import repacked
from services.connectors.sendgrid.webhook import WEBHOOK, Settings

CONNECTOR = Connector(
    "sendgrid", "chats", WEBHOOK, "Mails that SendGrid receives", UnguessableAddress(), Settings, parts=repacked
)
