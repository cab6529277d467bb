"""Ringostat: telephone calls and call tracking."""

from crm.connector import Connector
from crm.connector_proofs import SharedSecret
from services.connectors.ringostat.webhook import WEBHOOK, Settings

PROOF = SharedSecret("a text of your own, which stands in the webhook's URL as ?token=...; letters and digits.")
CONNECTOR = Connector("ringostat", "calls", WEBHOOK, "Telephone calls and call tracking of Ringostat", PROOF, Settings)
