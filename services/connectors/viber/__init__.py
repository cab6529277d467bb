"""Viber bots: chats."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.viber.activate import ACTIVATION
from services.connectors.viber.send import SEND
from services.connectors.viber.webhook import WEBHOOK, Settings

PROOF = Signature("the bot's authentication token: in the Viber Admin Panel, under Edit Info.")
TITLE = "Chats of a Viber bot"
CONNECTOR = Connector("viber", "chats", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION, send=SEND)
