"""SendGrid: mails that come in."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.mails.packed import repacked
from services.connectors.sendgrid.send import SEND
from services.connectors.sendgrid.webhook import WEBHOOK, Settings

PROOF, TITLE = UnguessableAddress(), "Mails that SendGrid receives"
CONNECTOR = Connector("sendgrid", "chats", WEBHOOK, TITLE, PROOF, Settings, parts=repacked, send=SEND)
