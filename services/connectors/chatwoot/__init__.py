"""Chatwoot: chats of all its inboxes."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.chatwoot.activate import ACTIVATION
from services.connectors.chatwoot.send import SEND
from services.connectors.chatwoot.webhook import WEBHOOK, Settings

PROOF = UnguessableAddress("only for a Chatwoot that signs (setting signed): the webhook's secret.")
TITLE = "Chats of Chatwoot's inboxes"
CONNECTOR = Connector("chatwoot", "chats", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION, send=SEND)
