"""Binotel: telephone calls."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.binotel.webhook import WEBHOOK, Settings

CONNECTOR = Connector("binotel", "calls", WEBHOOK, "Telephone calls of Binotel", UnguessableAddress(), Settings)
