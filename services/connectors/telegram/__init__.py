"""Telegram bots: chats."""

from crm.connector import Connector
from crm.connector_proofs import SharedSecret
from services.connectors.telegram.webhook import WEBHOOK, Settings

PROOF = SharedSecret("the secret_token that you give to setWebhook: 1 to 256 letters, digits, _ and -.")
CONNECTOR = Connector("telegram", "chats", WEBHOOK, "Chats of a Telegram bot", PROOF, Settings)
