"""Instagram: chats."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.instagram.activate import ACTIVATION
from services.connectors.instagram.send import SEND
from services.connectors.instagram.webhook import WEBHOOK
from services.connectors.page_chats import Settings

PROOF = Signature("the app secret: developers.facebook.com, your app, App settings, Basic.")
TITLE = "Chats of an Instagram professional account"
CONNECTOR = Connector("instagram", "chats", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION, send=SEND)
