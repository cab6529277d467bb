"""Contact Form 7 with the plugin CF7 to Webhook."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.cf7.webhook import WEBHOOK
from services.connectors.submissions.settings import TokenSettings

TITLE = "Contact Form 7 on WordPress"
CONNECTOR = Connector("cf7", "forms", WEBHOOK, TITLE, UnguessableAddress(), TokenSettings)
