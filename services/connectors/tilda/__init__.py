"""Tilda: forms and carts of its sites."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.tilda.webhook import WEBHOOK, Settings

CONNECTOR = Connector("tilda", "forms", WEBHOOK, "Forms and carts of Tilda sites", UnguessableAddress(), Settings)
