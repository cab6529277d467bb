"""OLX: chats with those who answer adverts."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.olx.poll import POLL, Settings

PROOF = ApiKey(
    "three parts with colons between them: the id and the secret of your application at developer.olx.ua, and the "
    "refresh token that it was given for the account.",
    r"[^:]+:[^:]+:[^:]+",
)
CONNECTOR = Connector("olx", "chats", None, "Chats with those who answer adverts on OLX", PROOF, Settings, poll=POLL)
