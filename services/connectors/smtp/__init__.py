"""SMTP: mails as they travel, from any mail server."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.mails.packed import repacked
from services.connectors.smtp.send import SEND
from services.connectors.smtp.webhook import WEBHOOK, Settings

TITLE = "Mails as a mail server receives them by SMTP"
CONNECTOR = Connector("smtp", "chats", WEBHOOK, TITLE, UnguessableAddress(), Settings, parts=repacked, send=SEND)
