"""Elementor: its form widget."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.elementor.webhook import WEBHOOK
from services.connectors.submissions.settings import FormSettings

TITLE = "Form widget of Elementor Pro on WordPress"
CONNECTOR = Connector("elementor", "forms", WEBHOOK, TITLE, UnguessableAddress(), FormSettings)
