"""WhatsApp Business Platform (Cloud API): chats and calls."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.whatsapp.activate import ACTIVATION
from services.connectors.whatsapp.files import FILES
from services.connectors.whatsapp.send import SEND
from services.connectors.whatsapp.webhook import WEBHOOK, Settings

PROOF = Signature("the app secret: developers.facebook.com, your app, App settings, Basic.")
TITLE = "Chats of WhatsApp Business (Cloud API)"
CONNECTOR = Connector("whatsapp", "chats", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION, files=FILES, send=SEND)
