"""Jivo: chats, offline messages and call-backs of a site's widget."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.jivo.webhook import WEBHOOK, Settings

CONNECTOR = Connector(
    "jivo", "chats", WEBHOOK, "Chats, offline messages and calls of Jivo", UnguessableAddress(), Settings
)
