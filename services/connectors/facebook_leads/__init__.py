"""Lead ads of Facebook and Instagram."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.facebook_leads.activate import ACTIVATION
from services.connectors.facebook_leads.webhook import WEBHOOK, Settings

PROOF = Signature("the App Secret, at developers.facebook.com under your app, App settings, Basic.")
TITLE = "Lead ads of Facebook and Instagram"
CONNECTOR = Connector("facebook-leads", "forms", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION)
