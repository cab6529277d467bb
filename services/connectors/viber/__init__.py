"""Viber bots: chats."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.viber.webhook import WEBHOOK, Settings

PROOF = Signature("the bot's authentication token: in the Viber Admin Panel, under Edit Info.")
CONNECTOR = Connector("viber", "chats", WEBHOOK, "Chats of a Viber bot", PROOF, Settings)
