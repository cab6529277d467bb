"""Messenger: chats."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.messenger.activate import ACTIVATION
from services.connectors.messenger.send import SEND
from services.connectors.messenger.webhook import WEBHOOK
from services.connectors.page_chats import Settings

PROOF = Signature("the app secret: developers.facebook.com, your app, App settings, Basic.")
TITLE = "Chats of a Facebook page (Messenger)"
CONNECTOR = Connector("messenger", "chats", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION, send=SEND)
