"""Instagram: chats."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.instagram.webhook import WEBHOOK, Settings

PROOF = Signature("the app secret: developers.facebook.com, your app, App settings, Basic.")
CONNECTOR = Connector("instagram", "chats", WEBHOOK, "Chats of an Instagram professional account", PROOF, Settings)
