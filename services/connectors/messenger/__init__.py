"""Messenger: chats."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.messenger.webhook import WEBHOOK, Settings

PROOF = Signature("the app secret: developers.facebook.com, your app, App settings, Basic.")
CONNECTOR = Connector("messenger", "chats", WEBHOOK, "Chats of a Facebook page (Messenger)", PROOF, Settings)
