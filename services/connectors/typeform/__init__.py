"""Typeform: forms and surveys."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.typeform.activate import ACTIVATION, Settings
from services.connectors.typeform.webhook import WEBHOOK

PROOF = Signature("the Secret of the webhook, in Typeform under Connect, Webhooks, Edit.")
CONNECTOR = Connector("typeform", "forms", WEBHOOK, "Forms and surveys of Typeform", PROOF, Settings, ACTIVATION)
