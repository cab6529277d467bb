"""Telegram bots: chats."""

from crm.connector import Connector
from crm.connector_proofs import SharedSecret
from services.connectors.telegram.activate import ACTIVATION
from services.connectors.telegram.files import FILES
from services.connectors.telegram.send import SEND
from services.connectors.telegram.webhook import WEBHOOK, Settings

PROOF = SharedSecret(
    "the secret_token that you give to setWebhook: 1 to 256 letters, digits, _ and -. The token of the bot, which has "
    "a colon, is something else.",
    pattern="[A-Za-z0-9_-]{1,256}",
)
TITLE = "Chats of a Telegram bot"
CONNECTOR = Connector("telegram", "chats", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION, files=FILES, send=SEND)
