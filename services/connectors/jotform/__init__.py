"""Jotform: forms."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.jotform.webhook import WEBHOOK
from services.connectors.submissions.settings import FormSettings

CONNECTOR = Connector("jotform", "forms", WEBHOOK, "Forms of Jotform", UnguessableAddress(), FormSettings)
