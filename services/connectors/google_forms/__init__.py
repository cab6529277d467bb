"""Google Forms, by a script of the form or by its API."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.google_forms.poll import POLL
from services.connectors.google_forms.webhook import WEBHOOK, Settings
from services.connectors.google_oauth import google

TITLE = "Google Forms"
OAUTH = google("forms.body.readonly", "forms.responses.readonly")
CONNECTOR = Connector("google-forms", "forms", WEBHOOK, TITLE, UnguessableAddress(), Settings, poll=POLL, oauth=OAUTH)
