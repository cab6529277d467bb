"""Jotform: forms."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.jotform.activate import ACTIVATION, Settings
from services.connectors.jotform.webhook import WEBHOOK

CONNECTOR = Connector("jotform", "forms", WEBHOOK, "Forms of Jotform", UnguessableAddress(), Settings, ACTIVATION)
