"""Google Forms, by a script of the form."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.google_forms.webhook import WEBHOOK
from services.connectors.submissions.settings import TokenSettings

TITLE = "Google Forms"
CONNECTOR = Connector("google-forms", "forms", WEBHOOK, TITLE, UnguessableAddress(), TokenSettings)
