"""Vonage: telephone calls."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.vonage.webhook import WEBHOOK, Settings

PROOF = Signature("the signature secret of the account, at dashboard.nexmo.com under Settings, API keys.")
CONNECTOR = Connector("vonage", "calls", WEBHOOK, "Telephone calls of Vonage", PROOF, Settings)
