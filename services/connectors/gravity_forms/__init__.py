"""Gravity Forms with its Webhooks add-on."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.gravity_forms.webhook import WEBHOOK, Settings

TITLE = "Gravity Forms on WordPress"
CONNECTOR = Connector("gravity-forms", "forms", WEBHOOK, TITLE, UnguessableAddress(), Settings)
