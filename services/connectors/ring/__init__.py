"""Calls of a mobile phone, or of any program that can send one request."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.ring.webhook import WEBHOOK, Settings

PROOF = Signature("a long random text of your own: it signs each request, or stands in `Authorization: Bearer ...`.")
CONNECTOR = Connector("ring", "calls", WEBHOOK, "Calls of mobile phones and of anything else", PROOF, Settings)
